//! The usage chunk before the end of a stream: exactly one for a client that has asked, whatever the provider sends.

use serde::Deserialize;
use serde_json::json;
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
        let data = match self.given.take() {
            Some(given) => given,
            None if self.shown => return Vec::new(),
            None => self.made(cost),
        };
        [b"data: ", data.as_slice(), b"\n\n"].concat()
    }

    fn made(&mut self, cost: &Usage) -> Vec<u8> {
        let head = self.head.take().unwrap_or_default();
        let mut chunk = json!({
            "id": head.id,
            "object": "chat.completion.chunk",
            "created": head.created,
            "model": head.model,
            "choices": [],
            "usage": {
                "prompt_tokens": cost.prompt_tokens,
                "completion_tokens": cost.completion_tokens,
                "total_tokens": cost.total_tokens,
            },
        });
        if let Some(members) = chunk.as_object_mut() {
            members.retain(|_, value| !value.is_null());
            if cost.estimated {
                members.insert("usage_estimated".into(), true.into());
            }
        }
        chunk.to_string().into_bytes()
    }
}
