//! A span: what is told of one piece of work when it is over.

use std::borrow::Cow;

use crate::domain::time::Wall;
use crate::domain::trace::{SpanId, TraceId};

/// One span, as it goes to the collector.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// The trace it belongs to.
    pub trace: TraceId,
    /// Its own id.
    pub id: SpanId,
    /// The span that it is a part of.
    pub parent: Option<SpanId>,
    /// Whether that one is of another process.
    pub parent_is_remote: bool,
    /// Of the trace context.
    pub flags: u8,
    /// Of the trace context.
    pub state: Option<String>,
    /// What was done.
    pub name: String,
    /// On which side.
    pub kind: Kind,
    /// First moment.
    pub began: Wall,
    /// Last moment.
    pub ended: Wall,
    /// What is known of it.
    pub attributes: Vec<(&'static str, Value)>,
    /// Why it counts as failed.
    pub error: Option<String>,
}

/// On which side of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Somebody was served.
    Server = 2,
    /// Somebody was asked.
    Client = 3,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text.
    Text(Cow<'static, str>),
    /// A whole number.
    Count(i64),
    /// Any number.
    Real(f64),
    /// Yes or no.
    Flag(bool),
}

impl Span {
    /// The flags as OTLP has them: those of the trace context, and what is known of the parent's side.
    #[must_use]
    pub fn wire_flags(&self) -> u32 {
        const KNOWN: u32 = 0x100;
        const REMOTE: u32 = 0x200;
        u32::from(self.flags) | KNOWN | if self.parent_is_remote { REMOTE } else { 0 }
    }

    /// Adds an attribute where there is a value.
    pub fn tell(&mut self, name: &'static str, value: Option<impl Into<Value>>) {
        self.attributes.extend(value.map(|value| (name, value.into())));
    }
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<u64> for Value {
    fn from(count: u64) -> Self {
        Self::Count(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}
