//! Any edit of any text is made as it was meant or refused in words, and gives no key away.
//!
//! The first line of an input steers: each of its letters is a change, the first four count. The rest is the file.

use std::path::Path;

use chain429::config::edit::{Change, EditError, Editor, Value, masked_document, masked_text};
use chain429::config::model::{Config, KeyDigest};
use chain429::config::{Overrides, parse};

use super::steered;

/// What one of the changes puts in, and what `${KEY}` stands for.
const SECRET: &str = "gsk_7hIsMustNeverBePrinted0123456789";
/// The part of it that is masked on its own as well.
const CORE: &str = "7hIsMustNeverBePrinted0123456789";

const ENVIRONMENT: [(&str, &str); 4] = [("KEY", SECRET), ("PORT", "4000"), ("EMPTY", ""), ("WORD", "word")];

/// Changes of one input, at most.
const MOST: usize = 4;

/// Makes the edit twice, and holds what comes of it to what was meant.
pub fn check(bytes: &[u8]) {
    let (steer, text) = steered(bytes);
    let text = String::from_utf8_lossy(text);
    let changes: Vec<Change> = steer.iter().take(MOST).map(|letter| change(*letter)).collect();
    let edited = editor().edit(&text, &changes);
    assert_eq!(edited, editor().edit(&text, &changes), "the same edit, made again");
    match edited {
        Ok(new) if new == *text => {}
        Ok(new) => check_edited(&text, &new, &changes),
        Err(fault) => check_refusal(&fault),
    }
}

fn editor<'a>() -> Editor<'a> {
    const NOTHING: &Overrides = &Overrides { host: None, port: None, data_dir: None, static_dir: None };
    Editor { origin: "fuzz.yaml", base_dir: Path::new("/nonexistent"), environment: &ENVIRONMENT, overrides: NOTHING }
}

fn check_refusal(fault: &EditError) {
    let shown = fault.to_string();
    assert!(!shown.trim().is_empty() && !shown.trim_end().ends_with(':'), "{shown:?}");
    assert!(!shown.contains(CORE), "a key is shown: {shown}");
}

fn check_edited(text: &str, new: &str, changes: &[Change]) {
    let config = parse(new, "fuzz.yaml", Path::new("/nonexistent"), &ENVIRONMENT, &Overrides::default())
        .unwrap_or_else(|errors| panic!("{changes:?}\n{text}\n{new}\n{errors}"));
    if let Some(last) = changes.last() {
        assert!(holds(last, &config), "{last:?} does not hold\n{text}\n{new}");
    }
    assert_eq!(editor().edit(new, &[]).as_deref(), Ok(new), "nothing to change");
    assert_eq!(text.starts_with('\u{feff}'), new.starts_with('\u{feff}'), "the mark at the beginning");
    // What was there before may have been shown before: an alias repeats it where nobody looks for it.
    if !text.contains(CORE) {
        let shown = masked_text(new, "fuzz.yaml").expect("it was just read");
        assert!(!shown.contains(CORE), "a key is shown: {shown}");
        let document = masked_document(new, "fuzz.yaml").expect("it was just read");
        let document = serde_json::to_string(&document).expect("values can be written down");
        assert!(!document.contains(CORE), "a key is shown: {document}");
    }
}

fn value(json: &str) -> Value {
    serde_json::from_str(json).expect("the changes below are JSON")
}

/// The change that a letter stands for. Names are those of the seeds.
fn change(letter: u8) -> Change {
    let set = |key: &str, json: &str| Change::Set { key: key.into(), value: value(json) };
    let provider = |id: &str, json: &str| Change::PutProvider { id: id.into(), provider: value(json) };
    let chain = |name: &str, json: &str| Change::PutChain { name: name.into(), chain: value(json) };
    let entry = || value(r#"{"provider":"groq","model":"x/y:free"}"#);
    match letter.wrapping_sub(b'a') % 20 {
        0 => set("port", "4001"),
        1 => set("port", "null"),
        2 => set("adminKeys", r#"["admin-key-of-mine"]"#),
        3 => provider("groq", r#"{"type":"groq","models":{"a/b":{"contextWindow":3}},"headers":{"X":"y"}}"#),
        4 => provider("new", &format!(r#"{{"type":"local","name":"it's: new","apiKey":"{SECRET}"}}"#)),
        5 => Change::DeleteProvider { id: "groq".into(), with_entries: true },
        6 => Change::DeleteProvider { id: "new".into(), with_entries: false },
        7 => chain("new", r#"{"entries":[{"provider":"groq","model":"m"},{"provider":"new","model":"1.10"}]}"#),
        8 => chain("default", r#"{"entries":[{"provider":"new","model":"yes","timeout":5}]}"#),
        9 => Change::RenameChain { from: "default".into(), to: "other".into() },
        10 => Change::DeleteChain { name: "default".into() },
        11 => Change::SetDefaultChain { name: "new".into() },
        12 => Change::InsertEntry { chain: "default".into(), at: Some(0), entry: entry() },
        13 => Change::InsertEntry { chain: "default".into(), at: None, entry: entry() },
        14 => Change::PutEntry { chain: "default".into(), at: 0, entry: entry() },
        15 => Change::RemoveEntry { chain: "default".into(), at: 0 },
        16 => Change::MoveEntry { chain: "default".into(), from: 0, to: 1 },
        17 => Change::OrderProviders { ids: vec!["new".into(), "groq".into()] },
        18 => Change::AddClientKey { digest: KeyDigest::of("a-new-client"), label: Some("new".into()) },
        _ => Change::RemoveClientKey { digest: KeyDigest::of("client-key") },
    }
}

/// Whether the configuration is what the change was to make of it.
fn holds(change: &Change, config: &Config) -> bool {
    let provider = |id: &str| config.providers.iter().any(|provider| provider.id.as_str() == id);
    let chain = |name: &str| config.chains.iter().any(|chain| chain.name.as_str() == name);
    let client = |digest: &KeyDigest| config.settings.api_keys.iter().any(|key| key.digest == *digest);
    match change {
        Change::Set { key, value } if key == "port" => {
            config.settings.port == value.as_text().map_or(3429, |text| text.parse().expect("a number"))
        }
        Change::Set { .. } => config.settings.admin_keys == [KeyDigest::of("admin-key-of-mine")],
        Change::PutProvider { id, .. } => provider(id),
        Change::DeleteProvider { id, .. } => !provider(id),
        Change::PutChain { name, .. } => chain(name),
        Change::RenameChain { from, to } => chain(to) && !chain(from),
        Change::DeleteChain { name } => !chain(name),
        Change::SetDefaultChain { name } => config.settings.default_chain.as_str() == name,
        Change::AddClientKey { digest, .. } => client(digest),
        Change::RemoveClientKey { digest } => !client(digest),
        _ => chain("default"),
    }
}
