//! What a simulated model says, and how it is cut into tokens.

use super::simulated::Simulated;

/// Longest echo of the client's words, in characters.
const ECHO: usize = 80;
/// Longest piece of text that counts as one token, in characters.
const TOKEN: usize = 8;

/// An answer in words: who is speaking, and what was understood.
pub(crate) fn reply(simulated: Simulated, model: &str, words: &str) -> String {
    let manner = match simulated {
        Simulated::Groq => "I am quick ⚡, but after four requests in 20 s my quota is spent",
        Simulated::OpenRouter => "I take my time 🐢, but I am always here",
        Simulated::Gemini => "I am quick ✨, but every third call fails — with a 503 or a 429, à tour de rôle",
    };
    format!(
        "This is {simulated} ({model}), running inside 429chain; no real model was asked. {manner}. \
         You said: “{}”. 日本語も大丈夫 ✓",
        shorten(words)
    )
}

/// The first [`ECHO`] characters of `words` on one line.
fn shorten(words: &str) -> String {
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(ECHO) {
        Some((end, _)) => format!("{}…", line.split_at(end).0.trim_end()),
        None => line,
    }
}

/// `text` cut into tokens: words with the space behind them, long words into pieces.
pub(crate) fn tokens(text: &str) -> Vec<&str> {
    text.split_inclusive(' ').flat_map(pieces).collect()
}

/// How many tokens `text` has.
pub(crate) fn count(text: &str) -> u64 {
    u64::try_from(tokens(text).len()).unwrap_or(u64::MAX)
}

/// `word` in pieces of [`TOKEN`] characters.
fn pieces(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let end = rest.char_indices().nth(TOKEN).map_or(rest.len(), |(end, _)| end);
        let (piece, tail) = rest.split_at(end);
        rest = tail;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_names_its_provider_and_echoes_the_question() {
        let text = reply(Simulated::Gemini, "gemini-3.6-flash", "Wie\n geht’s?");
        assert!(text.contains("Simulated Gemini (gemini-3.6-flash)"), "{text}");
        assert!(text.contains("“Wie geht’s?”"), "{text}");
    }

    #[test]
    fn a_long_question_is_shortened_between_characters() {
        assert_eq!(shorten(&"ü".repeat(81)), format!("{}…", "ü".repeat(80)));
        assert_eq!(shorten(&"ü".repeat(80)), "ü".repeat(80));
    }

    #[test]
    fn tokens_join_to_the_text_they_were_cut_from() {
        for text in ["", " ", "one two  three", "日本語のとても長い文章です。", "a👩‍👩‍👧‍👦b verylongwordindeed"]
        {
            assert_eq!(tokens(text).concat(), text);
            assert!(tokens(text).iter().all(|token| (1..=TOKEN).contains(&token.chars().count())));
        }
    }
}
