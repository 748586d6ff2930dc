//! `stream_options` of a request: what the client asks for, and what becomes of it on the way upstream.

use std::ops::Range;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::{Document, Kind, Malformed, even_null, span_in};

/// What is done to the question for usage on the way upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskUsage {
    /// Nothing.
    AsIs,
    /// It is asked although the client did not.
    Add,
    /// It is taken out: the provider refuses it.
    Remove,
}

/// A replacement of a span of the client's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) span: Range<usize>,
    pub(super) text: &'static str,
}

impl Document {
    pub(super) fn read_stream_options(
        &mut self,
        text: &str,
        start: usize,
        options: Option<&RawValue>,
    ) -> Result<(), Malformed> {
        #[derive(Deserialize)]
        struct Options<'a> {
            #[serde(borrow, default, deserialize_with = "even_null")]
            include_usage: Option<&'a RawValue>,
        }
        /// The same, and nothing else.
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Only {
            #[serde(default, rename = "include_usage")]
            _include_usage: IgnoredAny,
        }
        self.options_span = options.and_then(|raw| member_around(text, &span_in(text, raw), "stream_options"));
        let edit = match options.map(|raw| (raw, Kind::of(raw))) {
            None => Edit { span: start + 1..start + 1, text: r#""stream_options":{"include_usage":true},"# },
            Some((raw, Kind::Null)) => Edit { span: span_in(text, raw), text: r#"{"include_usage":true}"# },
            Some((raw, Kind::Object)) => {
                let inner: Options<'_> = serde_json::from_str(raw.get())
                    .map_err(|fault| Malformed::field("stream_options", format!("`stream_options`: {fault}")))?;
                self.other_options = serde_json::from_str::<Only>(raw.get()).is_err();
                let object = span_in(text, raw);
                match inner.include_usage {
                    Some(value) if value.get() == "true" => {
                        self.wants_usage = true;
                        return Ok(());
                    }
                    Some(value) if matches!(Kind::of(value), Kind::Flag | Kind::Null) => {
                        Edit { span: span_in(text, value), text: "true" }
                    }
                    Some(value) => {
                        return Err(Malformed::kind("stream_options.include_usage", Kind::Flag, Kind::of(value)));
                    }
                    None if is_empty(raw) => Edit { span: object, text: r#"{"include_usage":true}"# },
                    None => Edit { span: object.start + 1..object.start + 1, text: r#""include_usage":true,"# },
                }
            }
            Some((_, found)) => return Err(Malformed::kind("stream_options", Kind::Object, found)),
        };
        if self.stream {
            self.usage_edit = Some(edit);
        }
        Ok(())
    }
}

fn is_empty(object: &RawValue) -> bool {
    object.get().bytes().filter(|byte| !byte.is_ascii_whitespace()).eq(*b"{}")
}

/// The whole member `name` whose value lies at `value`, with the comma before or behind it; `None` when its name is
/// written in an unusual way.
fn member_around(text: &str, value: &Range<usize>, name: &str) -> Option<Range<usize>> {
    let space = [' ', '\t', '\r', '\n'];
    let key = text.get(..value.start)?.trim_end_matches(space).strip_suffix(':')?.trim_end_matches(space);
    let before = key.strip_suffix('"')?.strip_suffix(name)?.strip_suffix('"')?.trim_end_matches(space);
    let behind = text.get(value.end..)?;
    match (before.strip_suffix(','), behind.trim_start_matches(space).strip_prefix(',')) {
        (Some(before), _) => Some(before.len()..value.end),
        (None, Some(rest)) => Some(before.len()..text.len() - rest.len()),
        (None, None) => Some(before.len()..value.end),
    }
}
