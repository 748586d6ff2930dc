//! Whole edits: a text and changes in, a text out.

mod files;
mod first;
mod keys;
mod properties;

use super::*;

const ENVIRONMENT: [(&str, &str); 10] = [
    ("KEY", "gsk_7hIsMustNeverBePrinted0123456789"),
    ("PORT", "4000"),
    ("EMPTY", ""),
    ("WORD", "word"),
    ("PROXY_KEY", "proxy-key-of-some-length"),
    ("LAPTOP_KEY", "laptop-key-of-some-length"),
    ("GROQ_API_KEY", "gsk_valueOfTheVariable0123"),
    ("MISTRAL_API_KEY", "mistral-one"),
    ("MISTRAL_API_KEY_2", "mistral-two"),
    ("OTHER", "other"),
];

fn edit(text: &str, changes: &[Change]) -> Result<String, EditError> {
    let editor = Editor {
        origin: "test.yaml",
        base_dir: Path::new("/nonexistent"),
        environment: &ENVIRONMENT,
        overrides: &Overrides::default(),
    };
    editor.edit(text, changes)
}

fn edited(text: &str, change: Change) -> String {
    edit(text, &[change]).unwrap_or_else(|error| panic!("{error}"))
}

/// What an edit takes away and puts in, line by line. Lines that only move show as both.
fn difference(old: &str, new: &str) -> Vec<String> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.split('\n').collect(), new.split('\n').collect());
    // The longest common subsequence, by its lengths from each point on.
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for (i, left) in old.iter().enumerate().rev() {
        for (j, right) in new.iter().enumerate().rev() {
            common[i][j] =
                if left == right { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            lines.push(format!("-{}", old[i]));
            i += 1;
        } else {
            lines.push(format!("+{}", new[j]));
            j += 1;
        }
    }
    lines
}

fn value(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

fn set(key: &str, json: &str) -> Change {
    Change::Set { key: key.to_owned(), value: value(json) }
}

fn unset(key: &str) -> Change {
    Change::Set { key: key.to_owned(), value: Value::Null }
}

fn put_provider(id: &str, json: &str) -> Change {
    Change::PutProvider { id: id.to_owned(), provider: value(json) }
}

fn delete_provider(id: &str) -> Change {
    Change::DeleteProvider { id: id.to_owned(), with_entries: true }
}

fn put_chain(name: &str, json: &str) -> Change {
    Change::PutChain { name: name.to_owned(), chain: value(json) }
}

fn insert(chain: &str, at: impl Into<Option<usize>>, json: &str) -> Change {
    Change::InsertEntry { chain: chain.to_owned(), at: at.into(), entry: value(json) }
}

fn remove(chain: &str, at: usize) -> Change {
    Change::RemoveEntry { chain: chain.to_owned(), at }
}

fn shift(chain: &str, from: usize, to: usize) -> Change {
    Change::MoveEntry { chain: chain.to_owned(), from, to }
}
