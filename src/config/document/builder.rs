//! From YAML events to the tree. Pulls events one by one and keeps its own stack, so that neither deep nesting nor an
//! alias that multiplies itself costs more than the bounds below.

use std::collections::HashMap;

use yaml_rust2::Event;
use yaml_rust2::parser::{Parser, Tag};
use yaml_rust2::scanner::{Marker, ScanError, TScalarStyle};

use super::super::error::Problem;
use super::super::path::YamlPath;
use super::{Content, Document, Entry, Node, Place, Text};

/// Far more than any real configuration, with everything that aliases repeat counted each time.
pub(in crate::config) const MOST_NODES: usize = 20_000;
const DEEPEST: usize = 32;

pub(super) fn build(text: &str) -> Result<(Document, Vec<Problem>), Problem> {
    // The parser would take it for a part of the first key.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    refuse_control_characters(text)?;
    let lines: Vec<&str> = text.lines().collect();
    let mut parser = Parser::new_from_str(text);
    let mut builder = Builder::default();
    loop {
        let (event, marker) = parser.next_token().map_err(|fault| syntax(&fault, &lines))?;
        let place = match &event {
            Event::StreamEnd => break,
            Event::Scalar(value, TScalarStyle::Plain, ..) if value.is_empty() => nothing_at(&lines, place(&marker)),
            _ => place(&marker),
        };
        builder.take(event, place)?;
    }
    let root =
        builder.root.unwrap_or(Node { place: Place { line: 1, column: 1 }, content: Content::Null, dropped: false });
    Ok((Document { root }, builder.problems))
}

/// YAML forbids them, and the parser takes a NUL for the end: what follows would go unread.
fn refuse_control_characters(text: &str) -> Result<(), Problem> {
    let stray = |letter: char| letter.is_control() && !matches!(letter, '\t' | '\n' | '\r' | '\u{85}');
    let Some((before, _)) = text.split_once(stray) else { return Ok(()) };
    let place = Place::after(before);
    Err(Problem::new(YamlPath::root(), Some(place), "an invisible control character stands here")
        .with_help("remove it; within double quotes it could be written as \\x00"))
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<Node>,
    anchors: HashMap<usize, (Node, usize)>,
    documents: usize,
    nodes: usize,
    problems: Vec<Problem>,
}

/// A list or mapping whose end has not come yet.
struct Open {
    node: Node,
    anchor: usize,
    /// What the node count was before it.
    nodes_before: usize,
    /// The key that waits for its value.
    key: Option<Key>,
}

struct Key {
    text: String,
    place: Place,
    /// Nothing that belongs under a key we refuse is kept.
    refused: bool,
}

impl Builder {
    fn take(&mut self, event: Event, place: Place) -> Result<(), Problem> {
        match event {
            Event::DocumentStart => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(Problem::new(YamlPath::root(), Some(place), "a second YAML document begins here")
                        .with_help("keep one document per file: remove the `---` line or what follows it"));
                }
                Ok(())
            }
            Event::Scalar(value, style, anchor, tag) => {
                let before = self.count(1, place)?;
                let content = scalar(value, style, tag.as_ref(), place)?;
                self.finish(Node { place, content, dropped: false }, anchor, before)
            }
            Event::SequenceStart(anchor, tag) => self.open(Content::List(Vec::new()), anchor, tag.as_ref(), place),
            Event::MappingStart(anchor, tag) => self.open(Content::Map(Vec::new()), anchor, tag.as_ref(), place),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(done) => self.finish(done.node, done.anchor, done.nodes_before),
                None => Ok(()),
            },
            Event::Alias(anchor) => {
                let Some((node, size)) = self.anchors.get(&anchor) else {
                    return Err(Problem::new(
                        YamlPath::root(),
                        Some(place),
                        "this alias stands inside what it repeats",
                    ));
                };
                let (node, size) = (node.clone(), *size);
                self.count(size, place)?;
                self.put(node, place)
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn open(&mut self, content: Content, anchor: usize, tag: Option<&Tag>, place: Place) -> Result<(), Problem> {
        if self.open.len() >= DEEPEST {
            return Err(Problem::new(YamlPath::root(), Some(place), "nested too deeply")
                .with_help(format!("no key of this file stands deeper than {DEEPEST} levels")));
        }
        check_tag(tag, place)?;
        let nodes_before = self.count(1, place)?;
        self.open.push(Open { node: Node { place, content, dropped: false }, anchor, nodes_before, key: None });
        Ok(())
    }

    /// A value is complete: remembers it for aliases, and puts it where it belongs.
    fn finish(&mut self, mut node: Node, anchor: usize, nodes_before: usize) -> Result<(), Problem> {
        // The parser notices a mapping without braces only at its first colon.
        if let Content::Map(entries) = &node.content
            && let Some(first) = entries.first()
        {
            node.place = node.place.min(first.key_place);
        }
        let place = node.place;
        if anchor > 0 {
            let size = self.nodes.saturating_sub(nodes_before);
            self.count(size, place)?;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        self.put(node, place)
    }

    fn put(&mut self, node: Node, place: Place) -> Result<(), Problem> {
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match (&mut parent.node.content, parent.key.take()) {
            (Content::List(items), _) => items.push(node),
            (Content::Map(entries), Some(key)) if !key.refused => {
                entries.push(Entry { key: key.text, key_place: key.place, value: node });
            }
            (Content::Map(entries), None) => {
                let text = key_text(node, place)?;
                let first = entries.iter().find(|entry| entry.key == text).map(|entry| entry.key_place);
                parent.key = Some(Key { text, place, refused: first.is_some() });
                if let Some(first) = first {
                    self.report_twice(first, place);
                }
            }
            (Content::Map(_), Some(_)) | (Content::Null | Content::Text(_), _) => {}
        }
        Ok(())
    }

    fn report_twice(&mut self, first: Place, second: Place) {
        let message = format!("this key is written twice in the same mapping, first in line {}", first.line);
        let problem = Problem::new(self.path_of_open(), Some(second), message);
        self.problems.push(problem.with_help("keep one of the two and remove the other"));
    }

    fn path_of_open(&self) -> YamlPath {
        self.open.iter().fold(YamlPath::root(), |path, open| match (&open.node.content, &open.key) {
            (Content::List(items), _) => path.index(items.len()),
            (_, Some(key)) => path.key(key.text.clone()),
            _ => path,
        })
    }

    /// Adds to the number of nodes; gives what it was before.
    fn count(&mut self, more: usize, place: Place) -> Result<usize, Problem> {
        let before = self.nodes;
        self.nodes = before.saturating_add(more);
        if self.nodes > MOST_NODES {
            return Err(Problem::new(YamlPath::root(), Some(place), "the file grows too large here")
                .with_help(format!("at most {MOST_NODES} values, with all that aliases repeat")));
        }
        Ok(before)
    }
}

fn scalar(value: String, style: TScalarStyle, tag: Option<&Tag>, place: Place) -> Result<Content, Problem> {
    check_tag(tag, place)?;
    let plain = style == TScalarStyle::Plain && tag.is_none();
    Ok(match value.as_str() {
        "" | "~" | "null" | "Null" | "NULL" if plain => Content::Null,
        _ => Content::Text(Text { value, written: None }),
    })
}

fn key_text(node: Node, place: Place) -> Result<String, Problem> {
    match node.content {
        Content::Text(text) => Ok(text.value),
        Content::Null => Err(Problem::new(YamlPath::root(), Some(place), "a key is empty here")),
        Content::List(_) | Content::Map(_) => {
            Err(Problem::new(YamlPath::root(), Some(place), "a list or mapping cannot be a key"))
        }
    }
}

/// YAML's own types are harmless, as values are text here anyway. Others would silently mean nothing.
fn check_tag(tag: Option<&Tag>, place: Place) -> Result<(), Problem> {
    let core = ["str", "int", "float", "bool", "null", "map", "seq"];
    match tag {
        Some(Tag { handle, suffix }) if handle != "tag:yaml.org,2002:" || !core.contains(&suffix.as_str()) => {
            Err(Problem::new(YamlPath::root(), Some(place), "YAML tags (`!...`) have no meaning in this file")
                .with_help("remove the tag; put a value that really begins with `!` in quotes"))
        }
        _ => Ok(()),
    }
}

fn syntax(fault: &ScanError, lines: &[&str]) -> Problem {
    let place = place(fault.marker());
    let message = format!("this is not valid YAML: {}", fault.info());
    let line = lines.get(place.line.saturating_sub(1)).copied().unwrap_or_default();
    let help = match fault.info() {
        info if info.contains("tab") => "indent with spaces, never with tabs",
        info if info.contains("unknown anchor") => "define it before with `&name`; quote a value that begins with `*`",
        info if info.contains("flow") && line.contains("${") => {
            "within [...] and {...}, put it in quotes: `[\"${NAME}\"]`"
        }
        _ => "look at the indentation, the quotes and the `:` here and in the line above",
    };
    Problem::new(YamlPath::root(), Some(place), message).with_help(help)
}

/// Where a value is missing, the parser is already at what follows. This is the end of what stands before it.
fn nothing_at(lines: &[&str], next: Place) -> Place {
    let before = lines.iter().take(next.line).enumerate().rev().find_map(|(index, line)| {
        let line: String =
            line.chars().take(if index + 1 == next.line { next.column - 1 } else { usize::MAX }).collect();
        let content = line.split(" #").next().unwrap_or_default().trim_end();
        let is_comment = content.trim_start().starts_with('#');
        (!content.is_empty() && !is_comment).then(|| Place { line: index + 1, column: content.chars().count() })
    });
    before.unwrap_or(next)
}

fn place(marker: &Marker) -> Place {
    Place { line: marker.line().max(1), column: marker.col() + 1 }
}
