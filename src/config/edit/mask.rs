//! Secrets made unreadable, but not unrecognizable.

mod comments;
mod secrets;

use super::super::document::Document;
use super::super::error::{ConfigErrorKind, ConfigErrors, Problem};
use super::super::path::{Step, YamlPath};
use super::super::wording::{SECRET_KEYS, begins_like_a_key, may_be_a_key};
use super::layout::{self, Kind, Piece};
use super::splice::{Splice, apply};
use super::value::Value;
use comments::Comments;
pub(super) use secrets::Secrets;

/// What stands for a text of which nothing is shown.
pub(super) const NOTHING: &str = "***";
/// Below it a key gives too much away with each letter.
const SHORTEST: usize = 12;

/// A secret as it may be shown: `gsk_…a91f`. Up to four characters of its beginning and of its end, and never more than
/// a third of it; of short ones nothing.
#[must_use]
pub fn mask(secret: &str) -> String {
    let letters: Vec<char> = secret.chars().collect();
    let shown = letters.len() / 3;
    if letters.len() < SHORTEST {
        return NOTHING.to_owned();
    }
    let (first, last) = ((shown / 2).min(4), shown.div_ceil(2).min(4));
    let start: String = letters.iter().take(first).collect();
    let end: String = letters.iter().skip(letters.len() - last).collect();
    format!("{start}…{end}")
}

/// A secret of the file. References to the environment are none, so they are shown.
pub(super) fn mask_written(text: &str) -> String {
    if let Some(digest) = text.strip_prefix("sha256:") {
        return format!("sha256:{}", mask(digest));
    }
    if !text.contains("${") || text.contains("$${") {
        return mask(text.trim_end());
    }
    let mut masked = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((inside, after)) = after.split_once('}') else { return NOTHING.to_owned() };
        let (name, default) = inside.split_once(":-").unwrap_or((inside, ""));
        masked.push_str(if before.is_empty() { "" } else { NOTHING });
        masked.push_str("${");
        masked.push_str(if may_be_a_key(name) { NOTHING } else { name });
        if inside.contains(":-") {
            masked.push_str(":-");
            masked.push_str(if default.is_empty() { "" } else { NOTHING });
        }
        masked.push('}');
        rest = after;
    }
    masked.push_str(if rest.is_empty() { "" } else { NOTHING });
    masked
}

/// Whether what stands at `path` is secret: keys and headers, but not the label of a key.
pub(super) fn is_secret(path: &YamlPath) -> bool {
    let secret = path.steps().iter().any(|step| matches!(step, Step::Key(key) if SECRET_KEYS.contains(&key.as_str())));
    let is_label = matches!(path.steps(), [.., Step::Index(_), Step::Key(key)] if key == "label");
    secret && !is_label
}

/// Whether a text can only be a mask.
pub(super) fn is_mask(text: &str, path: &YamlPath) -> bool {
    text == NOTHING || (is_secret(path) && (text.contains('…') || text.contains(NOTHING)))
}

/// Whether what stands at `path` is how something is called. Everybody sees names, and one mask could stand for many of
/// them: so they are shown, however long, unless they begin as keys do.
fn is_name(path: &YamlPath) -> bool {
    let steps: Vec<&str> = path
        .steps()
        .iter()
        .map(|step| match step {
            Step::Key(key) => key.as_str(),
            Step::Index(_) => "#",
        })
        .collect();
    matches!(
        steps.as_slice(),
        ["providers", "#", "id" | "name"]
            | ["chains", "#", "name"]
            | ["chains", "#", "entries", "#", "provider" | "model"]
            | ["settings", "defaultChain"]
            | ["providers", "#", "models", _]
    )
}

/// Whether a key of the mapping at `path` may not be shown.
fn hides_key(key: &str, path: &YamlPath) -> bool {
    if is_name(&path.key(key)) { begins_like_a_key(key) } else { may_be_a_key(key) }
}

/// The keys of the mapping at `path` as they may be shown: no two of them are the same.
pub(super) fn shown_keys(members: &[(String, Value)], path: &YamlPath) -> Vec<String> {
    let mask = |nth: usize| if nth == 1 { NOTHING.to_owned() } else { format!("{NOTHING}{nth}") };
    let mut masks = (1..).map(mask).filter(|mask| members.iter().all(|(key, _)| key != mask));
    members
        .iter()
        .map(|(key, _)| if hides_key(key, path) { masks.next().unwrap_or_default() } else { key.clone() })
        .collect()
}

/// The scalar at `path` as it may be shown.
pub(super) fn masked_scalar(text: &str, path: &YamlPath) -> String {
    let is_address = path.last_key() == Some("baseUrl") && !text.contains(['@', '?']);
    match () {
        () if is_secret(path) => mask_written(text),
        () if (is_address || is_name(path)) && !begins_like_a_key(text) => text.to_owned(),
        () if may_be_a_key(text) => NOTHING.to_owned(),
        () => text.to_owned(),
    }
}

/// Whether the text at `path` says what something is called, what kind it is of, or where it is.
fn is_label_of_a_place(text: &str, path: &YamlPath) -> bool {
    let is_chosen =
        path.last_key() == Some("type") || (path.last_key() == Some("baseUrl") && !text.contains(['@', '?']));
    let is_title = matches!(path.steps(), [Step::Key(list), _, Step::Key(key)] if list == "providers" && key == "name");
    is_chosen || (is_name(path) && !is_title)
}

/// All values with the secret ones masked.
fn masked_value(value: &Value, path: &YamlPath, secrets: &Secrets) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Text(text) => Value::Text(secrets.shown(text, path)),
        Value::List(items) => Value::List(
            items.iter().enumerate().map(|(at, item)| masked_value(item, &path.index(at), secrets)).collect(),
        ),
        Value::Map(members) => Value::Map(
            shown_keys(members, path)
                .into_iter()
                .zip(members)
                .map(|(shown, (key, value))| (shown, masked_value(value, &path.key(key.as_str()), secrets)))
                .collect(),
        ),
    }
}

/// The values of the file `text`, in its order, with the secret ones masked. What is masked may be put back: it means
/// the value that is there.
///
/// # Errors
/// The text is not YAML.
pub fn masked_document(text: &str, origin: &str) -> Result<Value, ConfigErrors> {
    let (document, _) =
        Document::parse(text).map_err(|problem| ConfigErrors::new(origin, ConfigErrorKind::Invalid, vec![problem]))?;
    Ok(masked_value(&Value::of(&document.root), &YamlPath::root(), &Secrets::of_document(&document)))
}

/// The file `text` as it is, comments and all, but with each secret masked, also where a comment holds one.
///
/// # Errors
/// The text is not YAML, or so unusual that secrets in it cannot be found for certain.
pub fn masked_text(text: &str, origin: &str) -> Result<String, ConfigErrors> {
    let refuse = |problem| ConfigErrors::new(origin, ConfigErrorKind::Invalid, vec![problem]);
    let unusual = || {
        let message = "the file is written in a way in which secrets cannot be found for certain, so it is not shown";
        refuse(Problem::new(YamlPath::root(), None, message).with_help("look at it with an editor"))
    };
    let (document, _) = Document::parse(text).map_err(refuse)?;
    let root = layout::read(text).ok_or_else(unusual)?;
    let secrets = Secrets::of_document(&document);
    let mut masker = Masker { text, secrets: &secrets, splices: Vec::new(), scalars: Vec::new(), hidden: Vec::new() };
    masker.piece(&root, &Value::of(&document.root), &YamlPath::root());
    masker.comments();
    apply(text, masker.splices).ok_or_else(unusual)
}

struct Masker<'a> {
    text: &'a str,
    secrets: &'a Secrets,
    splices: Vec<Splice>,
    /// Where no comment can be.
    scalars: Vec<(usize, usize)>,
    /// Where secret ones end.
    hidden: Vec<usize>,
}

impl Masker<'_> {
    fn piece(&mut self, piece: &Piece, value: &Value, path: &YamlPath) {
        match (&piece.kind, value) {
            (Kind::Empty | Kind::Alias(_), _) => self.scalars.push((piece.start, piece.end)),
            (Kind::Scalar(_), value) => {
                let text = value.as_text().unwrap_or_default();
                if is_secret(path) {
                    self.hidden.push(piece.end);
                }
                self.scalar(piece, text, self.secrets.shown(text, path));
            }
            _ => {}
        }
        for member in piece.members() {
            let shown = if hides_key(&member.name, path) { NOTHING } else { &member.name };
            self.scalar(&member.key, &member.name, shown.to_owned());
            let path = path.key(member.name.as_str());
            // A key that is written twice has a value only once: the other is masked as a whole.
            match value.get(&member.name) {
                Some(value) => self.piece(&member.value, value, &path),
                None => self.piece(&member.value, &Value::Null, &path),
            }
        }
        for (at, item) in piece.items().into_iter().enumerate() {
            self.piece(item, value.items().get(at).unwrap_or(&Value::Null), &path.index(at));
        }
    }

    fn scalar(&mut self, piece: &Piece, text: &str, shown: String) {
        self.scalars.push((piece.start, piece.end));
        let written = self.text.get(piece.content..piece.end).unwrap_or_default();
        // A value that does not belong to what is written here says nothing about it.
        let unknown = text.is_empty() && !matches!(written, "" | "~" | "''" | "\"\"" | "null" | "Null" | "NULL");
        if shown != text || unknown {
            let shown = if unknown { NOTHING.to_owned() } else { shown };
            let with = super::scalar::write(&shown, super::scalar::Wish { flow: true, single: false, quoted: false });
            self.splices.push(Splice { start: piece.content, end: piece.end, with });
        }
    }

    fn comments(&mut self) {
        let mut scalars = std::mem::take(&mut self.scalars);
        scalars.sort_unstable();
        let mut comments = Comments::of(self.secrets);
        // Where the comment before ends.
        let (mut from, mut before) = (0, 0);
        for (start, end) in scalars.into_iter().chain([(self.text.len(), self.text.len())]) {
            let mut rest = from;
            while let Some(hash) = self.text.get(rest..start).and_then(|gap| gap.find('#')).map(|at| rest + at) {
                let end = super::lines::end(self.text, hash).min(start);
                let comment = self.text.get(hash..end).unwrap_or_default();
                let between = |from: usize| self.text.get(from..hash).unwrap_or_default();
                let follows = between(before).chars().all(char::is_whitespace);
                let beside_secret = self.hidden.iter().any(|at| *at <= hash && !between(*at).contains('\n'));
                let masked = comments.masked(comment, follows, beside_secret);
                if masked != comment {
                    self.splices.push(Splice { start: hash, end, with: masked });
                }
                (rest, before) = (end, end);
            }
            from = end.max(from);
        }
    }
}

#[cfg(test)]
mod tests;
