//! Texts for people, made fit for matching.

/// So much of an error text is read. Longer ones repeat the request.
pub(super) const MAX: usize = 4_096;

/// A longer machine code is a text.
pub(super) const MAX_CODE: usize = 80;

/// Adds a text in lower case, without its quoted sentences.
///
/// Providers repeat parts of the request in quotes: `Invalid value: 'please try again in 3 hours'`. Matching those
/// would let a prompt decide how its own failure is understood. A quoted single word is kept, since it names a model
/// or a parameter and cannot hold a phrase.
pub(super) fn add(all: &mut String, text: &str) {
    if !all.is_empty() {
        all.push('\n');
    }
    let mut rest = text.get(..text.floor_char_boundary(MAX)).unwrap_or(text);
    let mut before = ' ';
    while let Some(next) = rest.chars().next() {
        let behind = rest.get(next.len_utf8()..).unwrap_or_default();
        rest = match quoted(next, before, behind) {
            Some((inside, tail)) if inside.contains(char::is_whitespace) => tail,
            _ => {
                all.push(next.to_ascii_lowercase());
                behind
            }
        };
        before = next;
    }
}

/// What a quote that opens here encloses, and what follows it. An apostrophe (`model's`) opens nothing.
fn quoted(mark: char, before: char, behind: &str) -> Option<(&str, &str)> {
    if !matches!(mark, '"' | '\'' | '`') || before.is_alphanumeric() {
        return None;
    }
    let mut from = 0;
    loop {
        let at = from + behind.get(from..)?.find(mark)?;
        let tail = behind.get(at + 1..)?;
        if !tail.starts_with(char::is_alphanumeric) {
            return Some((behind.get(..at)?, tail));
        }
        from = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let mut all = String::new();
        add(&mut all, text);
        all
    }

    #[test]
    fn quoted_sentences_are_echoes() {
        assert_eq!(read("Invalid value: 'please try again in 3 hours, rate limit'."), "invalid value: .");
        assert_eq!(read(r#"Bad "daily limit" here"#), "bad  here");
        assert_eq!(read("got 'it's the user's text'!"), "got !");
    }

    #[test]
    fn quoted_words_and_apostrophes_stay() {
        assert_eq!(read("This model's `max_tokens` is 'low'"), "this model's `max_tokens` is 'low'");
        assert_eq!(read("an unclosed ' quote"), "an unclosed ' quote");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(read(&"\u{e9}".repeat(MAX)).len(), MAX);
    }
}
