//! One configuration out of three layers: built-in defaults, the file, the command line.

use std::path::PathBuf;

use config::{Config, ConfigError, Map, Source, Value, ValueKind};
use serde::Serialize;

use super::document::{Content, Document, Node};
use super::raw::Settings;

/// What the command line and the environment say; wins over the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--host`
    pub host: Option<String>,
    /// `--port`
    pub port: Option<u16>,
    /// `--data-dir`
    pub data_dir: Option<PathBuf>,
    /// `--static-dir`
    pub static_dir: Option<PathBuf>,
}

#[derive(Serialize)]
struct Defaults {
    settings: Settings,
}

/// Lays the file over the defaults, and `overrides` over both. Dropped values are left out.
pub(super) fn merge(document: &Document, overrides: &Overrides) -> Result<Value, ConfigError> {
    let merged = Config::builder()
        .add_source(Config::try_from(&Defaults { settings: Settings::default() })?)
        .add_source(FileLayer(value(&document.root)))
        .set_override_option("settings.host", overrides.host.clone())?
        .set_override_option("settings.port", overrides.port)?
        .build()?;
    Ok(merged.cache)
}

/// May hold secrets: `Debug`, which a source must have, shows none of it.
#[derive(Clone)]
struct FileLayer(Value);

impl std::fmt::Debug for FileLayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FileLayer")
    }
}

impl Source for FileLayer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        match &self.0.kind {
            ValueKind::Table(table) => Ok(table.clone()),
            _ => Ok(Map::new()),
        }
    }

    /// The usual way would take a key with dots in it for a path.
    fn collect_to(&self, cache: &mut Value) -> Result<(), ConfigError> {
        if matches!(self.0.kind, ValueKind::Table(_)) {
            lay_over(cache, &self.0);
        }
        Ok(())
    }
}

/// A key without a value leaves the default as it is.
fn lay_over(below: &mut Value, above: &Value) {
    match (&mut below.kind, &above.kind) {
        (_, ValueKind::Nil) => {}
        (ValueKind::Table(below), ValueKind::Table(above)) => {
            for (key, value) in above {
                match below.get_mut(key) {
                    Some(below) => lay_over(below, value),
                    None => _ = below.insert(key.clone(), value.clone()),
                }
            }
        }
        _ => *below = above.clone(),
    }
}

fn value(node: &Node) -> Value {
    let kind = match &node.content {
        _ if node.dropped => ValueKind::Nil,
        Content::Null => ValueKind::Nil,
        // An empty variable is as good as none, also in quotes.
        Content::Text(text) if text.written.is_some() && text.value.is_empty() => ValueKind::Nil,
        Content::Text(text) => ValueKind::String(text.value.clone()),
        // A dropped item keeps its place, or the items after it would be counted wrong.
        Content::List(items) => ValueKind::Array(items.iter().map(value).collect()),
        Content::Map(entries) => ValueKind::Table(
            entries
                .iter()
                .filter(|entry| !entry.value.dropped)
                .map(|entry| (entry.key.clone(), value(&entry.value)))
                .collect(),
        ),
    };
    Value::new(None, kind)
}
