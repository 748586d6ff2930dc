//! What is different between two texts, line by line.

/// A line of the difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// In both.
    Same(&'a str),
    /// In the first only.
    Gone(&'a str),
    /// In the second only.
    New(&'a str),
    /// So many lines that are in both are left out.
    Left(usize),
}

/// So many lines are shown around each that differs.
const AROUND: usize = 3;

/// Above it, lines are not matched with each other any more: that would take too long.
const MOST: usize = 4_000_000;

/// How `after` differs from `before`; nothing when it does not.
pub(super) fn difference<'a>(before: &'a str, after: &'a str) -> Vec<Line<'a>> {
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let equal = |(one, other): &(&&str, &&str)| one == other;
    let head = before.iter().zip(&after).take_while(equal).count();
    let rest = before.len().min(after.len()) - head;
    let tail = before.iter().rev().zip(after.iter().rev()).take(rest).take_while(equal).count();
    let (first, last) = (before.get(..head).unwrap_or_default(), before.get(before.len() - tail..).unwrap_or_default());
    let gone = before.get(head..before.len() - tail).unwrap_or_default();
    let new = after.get(head..after.len() - tail).unwrap_or_default();
    let mut lines: Vec<Line<'a>> = first.iter().map(|line| Line::Same(line)).collect();
    lines.extend(matched(gone, new));
    lines.extend(last.iter().map(|line| Line::Same(line)));
    shortened(&lines)
}

/// By their longest common subsequence.
fn matched<'a>(gone: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    let width = new.len() + 1;
    if gone.len().saturating_mul(width) > MOST {
        return gone.iter().map(|line| Line::Gone(line)).chain(new.iter().map(|line| Line::New(line))).collect();
    }
    // How many lines are common from there on, row by row from the end.
    let mut common = vec![0_u32; (gone.len() + 1) * width];
    let at = |common: &[u32], row: usize, column: usize| common.get(row * width + column).copied().unwrap_or_default();
    for (row, one) in gone.iter().enumerate().rev() {
        for (column, other) in new.iter().enumerate().rev() {
            let most = match one == other {
                true => at(&common, row + 1, column + 1) + 1,
                false => at(&common, row + 1, column).max(at(&common, row, column + 1)),
            };
            common.get_mut(row * width + column).into_iter().for_each(|place| *place = most);
        }
    }
    let (mut row, mut column, mut lines) = (0, 0, Vec::new());
    loop {
        match (gone.get(row), new.get(column)) {
            (Some(one), Some(other)) if one == other => {
                lines.push(Line::Same(one));
                (row, column) = (row + 1, column + 1);
            }
            (Some(one), other) if other.is_none() || at(&common, row + 1, column) >= at(&common, row, column + 1) => {
                lines.push(Line::Gone(one));
                row += 1;
            }
            (_, Some(other)) => {
                lines.push(Line::New(other));
                column += 1;
            }
            (_, None) => return lines,
        }
    }
}

/// Without what is far from every line that differs.
fn shortened<'a>(lines: &[Line<'a>]) -> Vec<Line<'a>> {
    let differs: Vec<bool> = lines.iter().map(|line| !matches!(line, Line::Same(_))).collect();
    if !differs.contains(&true) {
        return Vec::new();
    }
    let near = |at: usize| {
        let (from, to) = (at.saturating_sub(AROUND), (at + AROUND + 1).min(differs.len()));
        differs.get(from..to).is_some_and(|around| around.contains(&true))
    };
    let mut shown: Vec<Line<'a>> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        match (near(at), shown.last_mut()) {
            (true, _) => shown.push(*line),
            (false, Some(Line::Left(count))) => *count += 1,
            (false, _) => shown.push(Line::Left(1)),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(before: &str, after: &str) -> Vec<String> {
        let lines = difference(before, after);
        let text = |line: &Line<'_>| match line {
            Line::Same(line) => format!(" {line}"),
            Line::Gone(line) => format!("-{line}"),
            Line::New(line) => format!("+{line}"),
            Line::Left(count) => format!("@{count}"),
        };
        lines.iter().map(text).collect()
    }

    #[test]
    fn lines_that_differ_are_shown_with_those_around_them() {
        let before: String = (0..30).map(|line| format!("{line}\n")).collect();
        let after = before.replace("\n9\n", "\nnine\nand more\n");
        let expected = ["@6", " 6", " 7", " 8", "-9", "+nine", "+and more", " 10", " 11", " 12", "@17"];
        assert_eq!(shown(&before, &after), expected);
        assert_eq!(shown(&before, &before), Vec::<String>::new());
    }

    #[test]
    fn what_moved_is_taken_out_and_put_in_once() {
        assert_eq!(shown("a\nb\nc\n", "b\nc\na\n"), ["-a", " b", " c", "+a"]);
        assert_eq!(shown("x\na\ny\na\nz", "a\na"), ["-x", " a", "-y", " a", "-z"]);
        assert_eq!((shown("", "a"), shown("a", "")), (vec!["+a".to_owned()], vec!["-a".to_owned()]));
    }

    #[test]
    fn both_texts_can_be_read_from_it() {
        let texts = ["a\nb\na\nb\nc", "b\na\nc\nc\na", "c\na\nb", "", "a\na\na\na", "b\nc\na\nb\na\nb\nc\nd"];
        for before in texts {
            for after in texts {
                let lines = difference(before, after);
                let side = |gone: bool| -> Vec<&str> {
                    let kept = lines.iter().filter_map(|line| match line {
                        Line::Same(line) => Some(*line),
                        Line::Gone(line) => gone.then_some(*line),
                        Line::New(line) => (!gone).then_some(*line),
                        Line::Left(_) => None,
                    });
                    kept.collect()
                };
                if before != after && !lines.iter().any(|line| matches!(line, Line::Left(_))) {
                    assert_eq!(side(true), before.lines().collect::<Vec<_>>(), "{before:?} {after:?}");
                    assert_eq!(side(false), after.lines().collect::<Vec<_>>(), "{before:?} {after:?}");
                }
            }
        }
    }

    #[test]
    fn texts_that_are_too_long_to_be_matched_are_told_one_after_the_other() {
        let long = |letter: char| -> String { (0..2_100).map(|line| format!("{letter}{line}\n")).collect() };
        let (before, after) = (long('a'), long('b'));
        let lines = difference(&before, &after);
        assert_eq!((lines.len(), lines[0], lines[4_199]), (4_200, Line::Gone("a0"), Line::New("b2099")));
    }
}
