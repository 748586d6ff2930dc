//! The OpenAI envelopes of an answer: one `chat.completion`, or the chunks of a stream, with each provider's own marks.

use serde_json::{Value, json};

use super::answer::{Answer, Said};
use super::simulated::Simulated;
use crate::domain::time::Wall;

/// What all envelopes of one answer carry.
#[derive(Debug)]
pub(crate) struct Completion<'a> {
    /// Who answers.
    pub(crate) simulated: Simulated,
    /// With which model.
    pub(crate) model: &'a str,
    /// Number of the request at this provider; ids are made of it.
    pub(crate) serial: u64,
    /// When.
    pub(crate) at: Wall,
}

impl Completion<'_> {
    /// The answer to a request that does not stream.
    pub(crate) fn whole(&self, answer: &Answer) -> Value {
        let message = match &answer.said {
            Said::Text(text) => json!({"role": "assistant", "content": text}),
            Said::Call { name, arguments } => {
                let call = json!({"id": self.call_id(), "type": "function",
                                  "function": {"name": name, "arguments": arguments}});
                json!({"role": "assistant", "content": null, "tool_calls": [call]})
            }
        };
        let choice = json!({"index": 0, "message": message, "logprobs": null, "finish_reason": answer.finish});
        let mut whole = self.envelope("chat.completion", json!([choice]));
        set(&mut whole, "usage", answer.usage.to_json());
        whole
    }

    /// The answer as a stream: the role, every token, the end, and the usage for a client that asked for it.
    pub(crate) fn chunks(&self, answer: &Answer, wants_usage: bool) -> Vec<Value> {
        let mut chunks = vec![self.opening(answer)];
        chunks.extend(answer.tokens().into_iter().map(|token| self.chunk(delta(answer, token), None)));
        chunks.push(self.closing(answer));
        // OpenRouter reports the usage of every stream, whether it was asked for or not.
        if wants_usage || self.simulated == Simulated::OpenRouter {
            let mut usage = self.envelope("chat.completion.chunk", json!([]));
            set(&mut usage, "usage", answer.usage.to_json());
            chunks.push(usage);
        }
        chunks
    }

    fn opening(&self, answer: &Answer) -> Value {
        let delta = match &answer.said {
            Said::Text(_) => json!({"role": "assistant", "content": ""}),
            Said::Call { name, .. } => {
                let call = json!({"index": 0, "id": self.call_id(), "type": "function",
                                  "function": {"name": name, "arguments": ""}});
                json!({"role": "assistant", "content": null, "tool_calls": [call]})
            }
        };
        let mut opening = self.chunk(delta, None);
        if self.simulated == Simulated::Groq {
            set(&mut opening, "x_groq", json!({"id": self.request_id()}));
        }
        opening
    }

    fn closing(&self, answer: &Answer) -> Value {
        let mut closing = self.chunk(json!({}), Some(answer.finish));
        if self.simulated == Simulated::Groq {
            set(&mut closing, "x_groq", json!({"id": self.request_id(), "usage": answer.usage.to_json()}));
        }
        closing
    }

    fn chunk(&self, delta: Value, finish: Option<&str>) -> Value {
        let choice = json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish});
        self.envelope("chat.completion.chunk", json!([choice]))
    }

    fn envelope(&self, object: &str, choices: Value) -> Value {
        let prefix = match self.simulated {
            Simulated::Groq => "chatcmpl-demo-",
            Simulated::OpenRouter => "gen-demo-",
            Simulated::Gemini => "demo-",
        };
        let mut envelope = json!({"id": format!("{prefix}{}", self.serial), "object": object,
                                  "created": self.at.0 / 1_000, "model": self.model, "choices": choices});
        match self.simulated {
            Simulated::Groq => set(&mut envelope, "system_fingerprint", json!("fp_demo")),
            Simulated::OpenRouter => set(&mut envelope, "provider", json!("429chain demo")),
            Simulated::Gemini => {}
        }
        envelope
    }

    fn call_id(&self) -> String {
        format!("call_demo_{}", self.serial)
    }

    fn request_id(&self) -> String {
        format!("req_demo_{}", self.serial)
    }
}

/// The change that one token makes.
fn delta(answer: &Answer, token: &str) -> Value {
    match &answer.said {
        Said::Text(_) => json!({"content": token}),
        Said::Call { .. } => json!({"tool_calls": [{"index": 0, "function": {"arguments": token}}]}),
    }
}

fn set(object: &mut Value, key: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::super::answer::Usage;
    use super::*;

    const USAGE: Usage = Usage { prompt: 9, completion: 4 };

    fn of(simulated: Simulated) -> Completion<'static> {
        Completion { simulated, model: "m", serial: 5, at: Wall(1_795_521_600_250) }
    }

    fn words() -> Answer {
        Answer { said: Said::Text("Grüß dich, 世界 ✓".to_owned()), finish: "stop", usage: USAGE }
    }

    fn call() -> Answer {
        let said = Said::Call { name: "weather".to_owned(), arguments: r#"{"city":"Rome – Beispiel"}"#.to_owned() };
        Answer { said, finish: "tool_calls", usage: USAGE }
    }

    /// Everything that the chunks say at `pointer` in their delta.
    fn joined(chunks: &[Value], pointer: &str) -> String {
        chunks.iter().filter_map(|chunk| chunk.pointer(&format!("/choices/0/delta{pointer}"))?.as_str()).collect()
    }

    #[test]
    fn a_whole_answer_has_the_fields_of_the_protocol() {
        assert_eq!(
            of(Simulated::Gemini).whole(&words()),
            json!({"id": "demo-5", "object": "chat.completion", "created": 1_795_521_600, "model": "m",
                   "choices": [{"index": 0, "logprobs": null, "finish_reason": "stop",
                                "message": {"role": "assistant", "content": "Grüß dich, 世界 ✓"}}],
                   "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}})
        );
        let message = &of(Simulated::Groq).whole(&call())["choices"][0]["message"];
        assert_eq!(message["content"], Value::Null);
        assert_eq!(message["tool_calls"][0]["function"]["arguments"], r#"{"city":"Rome – Beispiel"}"#);
    }

    #[test]
    fn chunks_join_to_the_answer_and_end_with_one_finish_reason() {
        for simulated in Simulated::ALL {
            let chunks = of(simulated).chunks(&words(), false);
            assert_eq!(joined(&chunks, "/content"), "Grüß dich, 世界 ✓");
            let finishes: Vec<_> =
                chunks.iter().filter_map(|chunk| chunk["choices"][0]["finish_reason"].as_str()).collect();
            assert_eq!(finishes, ["stop"]);
        }
    }

    #[test]
    fn a_streamed_call_names_itself_once_and_its_arguments_join() {
        let chunks = of(Simulated::Gemini).chunks(&call(), false);
        assert_eq!(joined(&chunks, "/tool_calls/0/function/name"), "weather");
        assert_eq!(joined(&chunks, "/tool_calls/0/id"), "call_demo_5");
        assert_eq!(joined(&chunks, "/tool_calls/0/function/arguments"), r#"{"city":"Rome – Beispiel"}"#);
    }

    #[test]
    fn usage_comes_when_asked_for_and_from_openrouter_always() {
        let with_usage = |simulated: Simulated, wanted| {
            let chunks = of(simulated).chunks(&words(), wanted);
            chunks.iter().filter(|chunk| chunk.get("usage").is_some()).cloned().collect::<Vec<_>>()
        };
        for simulated in Simulated::ALL {
            let asked = with_usage(simulated, true);
            assert_eq!(asked.len(), 1);
            assert_eq!(asked[0]["choices"], json!([]));
            assert_eq!(with_usage(simulated, false).len(), usize::from(simulated == Simulated::OpenRouter));
        }
    }

    #[test]
    fn groq_reports_usage_in_its_own_field_too() {
        let chunks = of(Simulated::Groq).chunks(&words(), false);
        let usage: Vec<_> = chunks.iter().filter_map(|chunk| chunk.pointer("/x_groq/usage/total_tokens")).collect();
        assert_eq!(usage, [&json!(13)]);
    }
}
