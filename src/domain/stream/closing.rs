//! The usage chunk before the end of a stream: exactly one for a client that has asked, whatever the provider sends.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::chunk::Chunk;
use crate::domain::usage::Usage;

/// What the last chunk is made of.
#[derive(Debug, Default)]
pub(super) struct Closing {
    /// The provider's own, the last of them.
    given: Option<Vec<u8>>,
    /// The client has seen usage beside a choice, and would count it twice.
    shown: bool,
    head: Option<Head>,
}

/// What every chunk of a stream repeats.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Head {
    id: Option<Box<RawValue>>,
    created: Option<Box<RawValue>>,
    model: Option<Box<RawValue>>,
}

impl Closing {
    /// Takes note of a chunk.
    pub(super) fn note(&mut self, data: &[u8], chunk: &Chunk) {
        if chunk.usage_only {
            self.given = Some(data.to_vec());
        } else {
            self.shown |= chunk.usage_shown && chunk.usage.is_some();
        }
        if self.head.is_none() {
            self.head = serde_json::from_slice(data).ok();
        }
    }

    /// The event; empty when the client has seen the usage already. What is estimated says so.
    pub(super) fn event(&mut self, cost: &Usage) -> Vec<u8> {
        if self.shown {
            return Vec::new();
        }
        super::event_of(&self.given.take().unwrap_or_else(|| self.made(cost)))
    }

    fn made(&mut self, cost: &Usage) -> Vec<u8> {
        let Head { id, created, model } = self.head.take().unwrap_or_default();
        let mut chunk = String::from(r#"{"object":"chat.completion.chunk","choices":[]"#);
        for (name, value) in [("id", id), ("created", created), ("model", model)] {
            // As the provider has written it, whatever it is.
            if let Some(value) = value.filter(|value| value.get() != "null") {
                chunk.push_str(&format!(r#","{name}":{}"#, value.get()));
            }
        }
        let Usage { prompt_tokens, completion_tokens, total_tokens, estimated, .. } = cost;
        chunk.push_str(&format!(
            r#","usage":{{"prompt_tokens":{prompt_tokens},"completion_tokens":{completion_tokens},"total_tokens":{total_tokens}}}"#
        ));
        chunk.push_str(if *estimated { r#","usage_estimated":true}"# } else { "}" });
        chunk.into_bytes()
    }
}
