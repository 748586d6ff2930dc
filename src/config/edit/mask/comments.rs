//! Comments: keys that were there before, or are to come back, stand in them.

use super::secrets::Secrets;
use super::{NOTHING, mask_written, may_be_a_key};

/// What follows after one of them and a colon is secret.
const KEYS: [&str; 5] = ["apiKey", "apiKeys", "adminKeys", "key", "authorization"];
/// What is below one of them is secret as well, in comments of their own.
const HOLDERS: [&str; 3] = ["apiKeys", "adminKeys", "headers"];

/// Masks the comments of a file, from its beginning to its end.
pub(super) struct Comments<'a> {
    secrets: &'a Secrets,
    /// How far the holder is indented that the last comment was in.
    holder: Option<usize>,
}

impl<'a> Comments<'a> {
    pub(super) fn of(secrets: &'a Secrets) -> Self {
        Self { secrets, holder: None }
    }

    /// The comment, which begins with `#`. `follows` says whether it continues the one before, `beside_secret` that it stands
    /// behind a secret.
    pub(super) fn masked(&mut self, comment: &str, follows: bool, beside_secret: bool) -> String {
        let written = comment.trim_end();
        let line_end = comment.get(written.len()..).unwrap_or_default();
        let comment = self.secrets.without_sentences(written);
        let words = comment.trim_start_matches('#');
        let indent = comment.len() - words.trim_start().len();
        let is_item = words.trim_start().starts_with('-');
        let inside = follows && self.holder.is_some_and(|holder| indent > holder || (is_item && indent == holder));
        if !inside {
            self.holder = None;
        }
        let colon = self.secret_colon(&comment, beside_secret);
        if let Some(name) = words.trim().strip_suffix(':')
            && HOLDERS.iter().any(|holder| name.eq_ignore_ascii_case(holder))
        {
            self.holder = Some(indent);
        }
        let from = match inside {
            // What comes behind the dash of an item, or behind the name of a header.
            true => colon.or_else(|| comment.find(": ").map(|at| at + 1)).unwrap_or(indent + usize::from(is_item)),
            false => colon.unwrap_or(comment.len()),
        };
        let (open, hidden) = comment.split_at_checked(from).unwrap_or(("", &comment));
        self.words(open) + &all_of(hidden) + line_end
    }

    /// Behind which colon everything is secret.
    fn secret_colon(&self, comment: &str, any: bool) -> Option<usize> {
        let colons = comment.match_indices(':').map(|(at, _)| at);
        let mut secret = colons.filter(|at| {
            let before = comment.get(..*at).unwrap_or_default().trim_end_matches([' ', '\'', '"', '`']);
            let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
            let name = before.rsplit(|letter| !is_part(letter)).next().unwrap_or_default();
            let is_address = comment.get(at + 1..).is_some_and(|rest| rest.starts_with("//"));
            let is_default = comment.get(at + 1..).is_some_and(|rest| rest.starts_with('-'));
            let is_key = KEYS.iter().any(|key| name.eq_ignore_ascii_case(key)) || self.secrets.know_header(name);
            is_key || (any && !is_address && !is_default)
        });
        secret.next().map(|at| at + 1)
    }

    fn words(&self, text: &str) -> String {
        let mut masked = String::new();
        for word in text.split_inclusive(char::is_whitespace) {
            let bare = word.trim_end();
            match self.secrets.are_in(bare) || may_be_a_key(bare) {
                true => masked.extend([NOTHING, word.get(bare.len()..).unwrap_or_default()]),
                false => masked.push_str(word),
            }
        }
        masked
    }
}

/// All words in one, but for references to the environment.
fn all_of(text: &str) -> String {
    let mut masked = String::new();
    let mut hides = false;
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end();
        let stays = matches!(bare, "" | "#") || (bare.starts_with("${") && mask_written(bare) == bare);
        match stays {
            true => masked.push_str(word),
            false if hides => {}
            false => masked.extend([NOTHING, word.get(bare.len()..).unwrap_or_default()]),
        }
        hides = !stays;
    }
    masked.trim_end().to_owned()
}
