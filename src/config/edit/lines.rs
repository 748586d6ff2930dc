//! Lines of the text, and which of them belong together.

/// Where the line that holds `at` begins.
pub(super) fn start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1)
}

/// Behind the line break of the line that holds `at`; the end of the text if it has none.
pub(super) fn end(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |end| at + end + 1)
}

/// As the first line ends.
pub(super) fn eol(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text.get(..at).is_some_and(|line| line.ends_with('\r')) => "\r\n",
        _ => "\n",
    }
}

/// What stands before `at` in its line, without a byte order mark.
pub(super) fn before(text: &str, at: usize) -> &str {
    text.get(start(text, at)..at).unwrap_or_default().trim_start_matches('\u{feff}')
}

pub(super) fn is_first_in_line(text: &str, at: usize) -> bool {
    before(text, at).bytes().all(|byte| byte == b' ')
}

/// The column of `at`, counted from 0.
pub(super) fn column(text: &str, at: usize) -> usize {
    before(text, at).chars().count()
}

/// The column of the comment that is all there is in the line that begins at `at`.
fn comment(text: &str, at: usize) -> Option<usize> {
    let line = text.get(at..end(text, at))?;
    let words = line.trim_start_matches([' ', '\t']);
    words.starts_with('#').then(|| line.len() - words.len())
}

/// The end of what belongs to a key or item in `column` whose last character is before `at`: its line, and comments
/// right below that stand deeper than the key.
pub(super) fn tail(text: &str, at: usize, column: usize) -> usize {
    let mut end_of = end(text, at.saturating_sub(1).max(start(text, at)));
    while end_of < text.len() && comment(text, end_of).is_some_and(|at| at > column) {
        end_of = end(text, end_of);
    }
    end_of
}

/// Where the comments begin that stand right above the line that begins at `at`, but not before `floor`.
pub(super) fn head(text: &str, at: usize, floor: usize) -> usize {
    let mut head = at;
    while head > floor {
        let above = start(text, head - 1);
        if above < floor || comment(text, above).is_none() {
            break;
        }
        head = above;
    }
    head
}

/// Lines between two items, as (detached comments with the empty lines before them, empty lines at the end).
pub(super) fn detached(gap: &str) -> (&str, &str) {
    let last = gap.split_inclusive('\n').scan(0, |at, line| {
        *at += line.len();
        Some((*at, !line.trim().is_empty()))
    });
    let at = last.filter(|(_, is_comment)| *is_comment).last().map_or(0, |(at, _)| at);
    gap.split_at_checked(at).unwrap_or(("", gap))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a:\n  # of x\n  - x # c\n    # deeper\n  # of y\n  - y\n\n# z\n";

    #[test]
    fn a_comment_right_above_belongs_to_what_is_below_and_a_deeper_one_to_what_is_above() {
        let (x, y) = (TEXT.find("- x").unwrap(), TEXT.find("- y").unwrap());
        let tail_of_x = tail(TEXT, x + 3, 2);
        assert!(TEXT[..tail_of_x].ends_with("# deeper\n"));
        assert!(TEXT[head(TEXT, start(TEXT, y), tail_of_x)..].starts_with("  # of y\n"));
        assert!(TEXT[head(TEXT, start(TEXT, x), 3)..].starts_with("  # of x\n"));
        assert!(TEXT[tail(TEXT, y + 3, 2)..].starts_with("\n# z"));
    }

    #[test]
    fn what_is_set_apart_by_an_empty_line_belongs_to_nobody() {
        assert_eq!(detached("\n# a\n\n# b\n\n\n"), ("\n# a\n\n# b\n", "\n\n"));
        assert_eq!(detached("\n"), ("", "\n"));
        assert_eq!(detached(""), ("", ""));
    }

    #[test]
    fn lines_end_as_the_first_one_does() {
        assert_eq!((eol("a\r\nb\n"), eol("a\nb\r\n"), eol("a")), ("\r\n", "\n", "\n"));
    }
}
