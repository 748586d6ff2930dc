//! `${NAME}`, `${NAME:-default}`, and `$${` for a plain `${`.
//!
//! Works on the values of the parsed file and not on its text: what stands in a variable can never become a key, a
//! comment or another line.

use super::document::{Content, Document, Node};
use super::environment::Environment;
use super::path::YamlPath;
use super::report::Report;
use super::wording::shown;

impl Document {
    /// Puts in the values of all variables. What cannot be filled in is reported and dropped.
    pub(super) fn interpolate(&mut self, environment: &dyn Environment, report: &mut Report) {
        walk(&mut self.root, &YamlPath::root(), environment, report);
    }
}

fn walk(node: &mut Node, path: &YamlPath, environment: &dyn Environment, report: &mut Report) {
    match &mut node.content {
        Content::Null => {}
        Content::List(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                walk(item, &path.index(index), environment, report);
            }
        }
        Content::Map(entries) => {
            for entry in entries {
                walk(&mut entry.value, &path.key(entry.key.as_str()), environment, report);
            }
        }
        Content::Text(text) => match fill(&text.value, environment) {
            Ok(None) => {}
            Ok(Some(filled)) => text.written = Some(std::mem::replace(&mut text.value, filled)),
            Err(fault) => {
                report.add_with_help(path, fault.message(), fault.help());
                node.dropped = true;
            }
        },
    }
}

/// What is wrong with the use of a variable.
#[derive(Debug, PartialEq, Eq)]
enum Fault {
    Unset(String),
    BadName(String),
    Nested,
    Open,
}

impl Fault {
    fn message(&self) -> String {
        match self {
            Self::Unset(name) => format!("the environment variable {} is not set", shown(name)),
            Self::BadName(name) => format!("{} is not the name of an environment variable", shown(name)),
            Self::Nested => "the default of a variable cannot hold another variable".to_owned(),
            Self::Open => "`${` without its `}`".to_owned(),
        }
    }

    fn help(&self) -> String {
        match self {
            Self::Unset(_) => "set it where 429chain is started, or write a default: `${NAME:-default}`".to_owned(),
            Self::BadName(_) => {
                "write `${NAME}` or `${NAME:-default}`: letters, digits and `_`, no digit first; `$${` is a plain `${`"
                    .to_owned()
            }
            Self::Nested => "name one variable, and write its default out: `${NAME:-default}`".to_owned(),
            Self::Open => "close it, or write `$${` for a plain `${`".to_owned(),
        }
    }
}

/// `None` when the text holds nothing to fill in.
fn fill(text: &str, environment: &dyn Environment) -> Result<Option<String>, Fault> {
    if !text.contains("${") {
        return Ok(None);
    }
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            filled.push_str(before);
            filled.push_str("${");
            rest = after;
            continue;
        }
        filled.push_str(before);
        let (inside, after) = after.split_once('}').ok_or(Fault::Open)?;
        filled.push_str(&value_of(inside, environment)?);
        rest = after;
    }
    filled.push_str(rest);
    Ok(Some(filled))
}

/// As in a shell, `:-` also covers a variable that is set to nothing.
fn value_of(inside: &str, environment: &dyn Environment) -> Result<String, Fault> {
    if inside.contains("${") {
        return Err(Fault::Nested);
    }
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    let letters = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    if name.is_empty() || name.starts_with(|letter: char| letter.is_ascii_digit()) || !name.chars().all(letters) {
        return Err(Fault::BadName(name.to_owned()));
    }
    match (environment.get(name), default) {
        (Some(value), None) => Ok(value),
        (Some(value), Some(_)) if !value.is_empty() => Ok(value),
        (_, Some(default)) => Ok(default.to_owned()),
        (None, None) => Err(Fault::Unset(name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> String {
        let environment = [("KEY", "secret"), ("EMPTY", ""), ("TRICK", "a: b\n${KEY} #")];
        match fill(text, &environment) {
            Ok(Some(filled)) => filled,
            Ok(None) => text.to_owned(),
            Err(fault) => format!("{fault:?}"),
        }
    }

    #[test]
    fn variables_are_filled_in() {
        for (text, expected) in [
            ("plain", "plain"),
            ("${KEY}", "secret"),
            ("a ${KEY} b ${KEY}", "a secret b secret"),
            ("${NONE:-3429}", "3429"),
            ("${KEY:-3429}", "secret"),
            ("${EMPTY}", ""),
            ("${EMPTY:-x}", "x"),
            ("${NONE:-}", ""),
            ("${NONE:-a:-b}", "a:-b"),
            ("$KEY $ {KEY} $$", "$KEY $ {KEY} $$"),
            ("$${KEY}", "${KEY}"),
            ("$${KEY} ${KEY}", "${KEY} secret"),
            ("ü${KEY}ü", "üsecretü"),
        ] {
            assert_eq!(filled(text), expected, "{text}");
        }
    }

    #[test]
    fn a_value_is_never_read_again() {
        assert_eq!(filled("${TRICK}"), "a: b\n${KEY} #");
    }

    #[test]
    fn what_cannot_be_filled_in_says_why() {
        assert_eq!(filled("${NONE}"), r#"Unset("NONE")"#);
        assert_eq!(filled("${NONE:-${KEY}}"), "Nested");
        assert_eq!(filled("${KEY"), "Open");
        assert_eq!(filled("${}"), r#"BadName("")"#);
        assert_eq!(filled("${1KEY}"), r#"BadName("1KEY")"#);
        assert_eq!(filled("${KEY:default}"), r#"BadName("KEY:default")"#);
    }
}
