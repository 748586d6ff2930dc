//! New values as text.

use super::layout::{Kind, Piece};
use super::scalar::{self, Wish};
use super::value::Value;
use crate::config::wording::SECRET_KEYS;

/// How the file is written, as far as it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) eol: &'static str,
    /// How much deeper the keys of a mapping within a mapping stand.
    step: usize,
    /// How much deeper the `-` of a list stands than its key.
    dash: usize,
}

impl Style {
    pub(super) fn of(text: &str, root: &Piece) -> Self {
        let (mut step, mut dash) = (None, None);
        root.walk(&mut |piece| {
            let Kind::BlockMap(members) = &piece.kind else { return };
            for member in members {
                let column = super::lines::column(text, member.key.start);
                let deeper = |at| super::lines::column(text, at).saturating_sub(column);
                match &member.value.kind {
                    Kind::BlockMap(inner) => {
                        step = step.or_else(|| inner.first().map(|inner| deeper(inner.key.start)));
                    }
                    Kind::BlockList(items) => dash = dash.or_else(|| items.first().map(|item| deeper(item.dash))),
                    _ => {}
                }
            }
        });
        let step = step.filter(|step| (1..=8).contains(step)).unwrap_or(2);
        Self { eol: super::lines::eol(text), step, dash: dash.filter(|dash| *dash <= 8).unwrap_or(2) }
    }

    /// `key: value` in `column`, each line with its end.
    pub(super) fn member(self, column: usize, key: &str, value: &Value) -> String {
        let spaces = " ".repeat(column);
        let name = name(key, false);
        match value {
            value if is_short(value) => format!("{spaces}{name}: {}{}", inline(value, key, false), self.eol),
            value => format!("{spaces}{name}:{}{}", self.eol, self.below(column, key, value)),
        }
    }

    /// What stands below `key:` in `column`.
    pub(super) fn below(self, column: usize, key: &str, value: &Value) -> String {
        match value {
            Value::List(items) => {
                let flow = is_for_one_line(items);
                items.iter().map(|item| self.item(column + self.dash, key, item, flow)).collect()
            }
            Value::Map(members) => {
                members.iter().map(|(key, value)| self.member(column + self.step, key, value)).collect()
            }
            Value::Null | Value::Text(_) => String::new(),
        }
    }

    /// `- item` with its `-` in `column`. `key` is that of the list.
    pub(super) fn item(self, column: usize, key: &str, item: &Value, flow: bool) -> String {
        let spaces = " ".repeat(column);
        match item {
            Value::Map(members) if !flow && !members.is_empty() => {
                let lines: String = members.iter().map(|(key, value)| self.member(column + 2, key, value)).collect();
                format!("{spaces}- {}", lines.trim_start_matches(' '))
            }
            item => format!("{spaces}- {}{}", inline(item, key, false), self.eol),
        }
    }
}

/// Places of a chain, which are short.
fn is_for_one_line(items: &[Value]) -> bool {
    let short = |item: &Value| item.get("model").is_some() && item.members().iter().all(|(_, value)| is_short(value));
    items.iter().all(short)
}

/// Has no lines of its own.
pub(super) fn is_short(value: &Value) -> bool {
    match value {
        Value::Null | Value::Text(_) => true,
        Value::List(items) => items.is_empty(),
        Value::Map(members) => members.is_empty(),
    }
}

/// In one line. `key` is the one that it belongs to.
pub(super) fn inline(value: &Value, key: &str, flow: bool) -> String {
    match value {
        Value::Null => "~".to_owned(),
        Value::Text(text) => scalar::write(text, wish(text, key, flow)),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(|item| inline(item, key, true)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(members) if members.is_empty() => "{}".to_owned(),
        Value::Map(members) => {
            let members: Vec<String> = members.iter().map(|(key, value)| pair(key, value)).collect();
            format!("{{ {} }}", members.join(", "))
        }
    }
}

/// `key: value` within braces.
pub(super) fn pair(key: &str, value: &Value) -> String {
    format!("{}: {}", name(key, true), inline(value, key, true))
}

fn name(key: &str, flow: bool) -> String {
    scalar::write(key, Wish { flow, ..Wish::default() })
}

/// 429chain takes every scalar for text. Other readers of the file would take `1.10` for a number: in quotes it is what
/// it is meant to be.
pub(super) fn wish(text: &str, key: &str, flow: bool) -> Wish {
    let is_text = SECRET_KEYS.contains(&key) || ["id", "name", "provider", "model", "key", "label"].contains(&key);
    let like_another = text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first))
        || ["true", "false", "yes", "no", "on", "off", "y", "n"].contains(&text.to_ascii_lowercase().as_str());
    Wish { flow, single: false, quoted: is_text && like_another }
}
