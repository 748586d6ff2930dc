//! Scalars in the text: how long one is, and how one is written so that it is read back as the same.

use yaml_rust2::scanner::TScalarStyle;

/// The length of an anchor, alias or tag at the beginning of `text`.
pub(super) fn word(text: &str, flow: bool) -> usize {
    let ends = |letter: char| letter.is_whitespace() || (flow && ",[]{}".contains(letter));
    text.find(ends).unwrap_or(text.len())
}

/// The length of the scalar that begins at `start` and was read as `value`.
pub(super) fn length(text: &str, start: usize, style: TScalarStyle, value: &str, flow: bool) -> Option<usize> {
    let rest = text.get(start..)?;
    match style {
        TScalarStyle::Plain => plain_length(rest, value, flow),
        TScalarStyle::SingleQuoted => single_length(rest),
        TScalarStyle::DoubleQuoted => double_length(rest),
        TScalarStyle::Literal | TScalarStyle::Folded => rest.starts_with(['|', '>']).then(|| block_length(text, start)),
    }
}

fn single_length(rest: &str) -> Option<usize> {
    let mut letters = rest.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        match (letter, letters.peek()) {
            ('\'', Some((_, '\''))) => _ = letters.next(),
            ('\'', _) => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn double_length(rest: &str) -> Option<usize> {
    let mut letters = rest.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => _ = letters.next(),
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// A plain scalar has no sign at its end. It may go on in the next line, and then it ends where it has become what was
/// read.
fn plain_length(rest: &str, value: &str, flow: bool) -> Option<usize> {
    let mut end = 0;
    let mut folded = String::new();
    for line in rest.split_inclusive('\n') {
        let text = line.trim_end_matches(['\r', '\n']);
        let inner = plain_in_line(text, flow);
        let words = inner.trim_matches([' ', '\t']);
        if words.is_empty() {
            // One line break is a space, each further one is itself.
            folded.push('\n');
        } else {
            if !folded.is_empty() && !folded.ends_with('\n') {
                folded.push(' ');
            }
            folded.push_str(words);
        }
        let reached = end + inner.trim_end_matches([' ', '\t']).len();
        if folded == value {
            return Some(reached);
        }
        if inner.len() < text.len() {
            return None;
        }
        end += line.len();
    }
    None
}

/// The part of a line before what ends a plain scalar.
fn plain_in_line(line: &str, flow: bool) -> &str {
    let bytes = line.as_bytes();
    let blank = |at: usize| bytes.get(at).is_none_or(|byte| matches!(byte, b' ' | b'\t'));
    let flow_sign = |at: usize| bytes.get(at).is_some_and(|byte| b",[]{}".contains(byte));
    let ends = |at: usize| match bytes.get(at) {
        Some(b'#') => at > 0 && blank(at - 1),
        Some(b':') => blank(at + 1) || (flow && flow_sign(at + 1)),
        _ => flow && flow_sign(at),
    };
    let end = (0..bytes.len()).find(|at| ends(*at)).unwrap_or(bytes.len());
    line.get(..end).unwrap_or(line)
}

/// Its head, and all lines that are empty or stand as deep as the first one that is not.
fn block_length(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let mut lines = rest.split_inclusive('\n');
    let head = lines.next().unwrap_or_default();
    let mut reached = head.trim_end().len();
    let mut end = head.len();
    let given = head
        .chars()
        .nth(1)
        .and_then(|letter| letter.to_digit(10))
        .or(head.chars().nth(2).and_then(|it| it.to_digit(10)));
    let mut indent = None;
    for line in lines {
        let body = line.trim_end_matches(['\r', '\n']);
        let spaces = body.len() - body.trim_start_matches(' ').len();
        if !body.trim().is_empty() {
            // With a number in its head, less than that many is the end; one is enough to know it.
            let least = *indent.get_or_insert(if given.is_some() { 1 } else { spaces.max(1) });
            if spaces < least {
                break;
            }
            reached = end + body.len();
        }
        end += line.len();
    }
    reached
}

/// How a value is to be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wish {
    /// Within `[...]` or `{...}`.
    pub(super) flow: bool,
    /// As the value that was there before.
    pub(super) single: bool,
    /// Quotes even where none are needed.
    pub(super) quoted: bool,
}

/// `text` as a scalar in one line that is read back as `text`.
pub(super) fn write(text: &str, wish: Wish) -> String {
    if !wish.quoted && !wish.single && is_plain(text, wish.flow) {
        return text.to_owned();
    }
    let escapes = text.chars().any(needs_escape);
    let single = wish.single || (text.contains(['"', '\\']) && !text.contains('\''));
    if single && !escapes {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            letter if needs_escape(letter) => quoted.push_str(&format!("\\U{:08x}", u32::from(letter))),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

fn needs_escape(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// Whether it needs no quotes. Rather some too many: only what cannot be taken for anything else goes without.
fn is_plain(text: &str, flow: bool) -> bool {
    let Some(first) = text.chars().next() else { return false };
    let safe_first = first.is_alphanumeric() || matches!(first, '/' | '.' | '_' | '+' | '$' | '(' | '^');
    let flow_signs = |letter: char| ",[]{}".contains(letter);
    safe_first
        && text.trim() == text
        && !matches!(text, "null" | "Null" | "NULL")
        && !text.starts_with("...")
        && !text.contains(needs_escape)
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with(':')
        && !(flow && (text.contains(flow_signs) || text.contains("::")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::edit::layout;

    #[test]
    fn what_is_written_is_read_back() {
        for text in [
            "",
            " ",
            "a",
            "null",
            "~",
            "a b",
            "a: b",
            "a:b",
            "a:",
            "#a",
            "a #b",
            "a#b",
            "- a",
            "-a",
            "?",
            "*a",
            "&a",
            "!a",
            "|",
            ">",
            "'",
            "\"",
            "it's",
            "\\",
            "\"'\\",
            "${KEY}",
            "$${",
            "[a]",
            "{a}",
            "a,b",
            "a]",
            "%a",
            "@a",
            "`a",
            "tab\there",
            "a\nb",
            "\r",
            "\u{85}",
            "\u{2028}",
            "\u{feff}",
            "ü",
            "sha256:ab",
            "00:00 UTC",
            "---",
            "...",
            "true",
            "1.10",
            "=",
            "<<",
            "a  b",
            "\0",
            "a\u{7f}b",
            "::1",
            "::",
            "https://h/v1",
            "x::",
            "emoji 🦀",
            " lead",
            "trail ",
            ",",
            "}",
        ] {
            for flow in [false, true] {
                for (single, quoted) in [(false, false), (true, false), (false, true)] {
                    let written = write(text, Wish { flow, single, quoted });
                    let file =
                        if flow { format!("{{ a: {written}, b: x }}") } else { format!("a: {written} # c\nb: x\n") };
                    let piece = layout::read(&file).unwrap_or_else(|| panic!("{file}"));
                    let member = &piece.members()[0];
                    assert_eq!(&file[member.value.start..member.value.end], written, "{file}");
                    let yaml =
                        yaml_rust2::YamlLoader::load_from_str(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
                    assert_eq!(piece.members().len(), 2, "{file}");
                    if !matches!(text, "true" | "1.10") {
                        assert_eq!(yaml[0]["a"].as_str(), Some(text), "{file}");
                    }
                }
            }
        }
    }
}
