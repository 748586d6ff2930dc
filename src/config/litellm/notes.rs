//! What is said about a file: one line for everything that the same holds for.

/// Said of settings that nothing here stands for.
pub(super) const NO_COUNTERPART: &str = "no counterpart here, left out";

/// What is said, and of what; in the order in which it was found.
#[derive(Default)]
pub(super) struct Notes(Vec<(String, Vec<String>)>);

impl Notes {
    /// Says something of `subject`.
    pub(super) fn say(&mut self, subject: impl Into<String>, what: impl Into<String>) {
        let (subject, what) = (subject.into(), what.into());
        match self.0.iter_mut().find(|(known, _)| *known == what) {
            Some((_, subjects)) if subjects.contains(&subject) => {}
            Some((_, subjects)) => subjects.push(subject),
            None => self.0.push((what, vec![subject])),
        }
    }

    /// One line each.
    pub(super) fn lines(&self) -> Vec<String> {
        // Names come from the file. A control character would end a comment, or confuse a terminal.
        let plain = |line: String| line.replace(char::is_control, " ");
        self.0.iter().map(|(what, subjects)| plain(format!("{}: {what}", subjects.join(", ")))).collect()
    }
}
