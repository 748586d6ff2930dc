//! A simulated provider without its sockets: takes a request, gives a reply. The server only carries bytes.

use std::time::Duration;

use serde_json::{Value, json};

use super::answer::Answer;
use super::completion::Completion;
use super::embedding::EmbeddingRequest;
use super::quota::Headers;
use super::refusal::Refusal;
use super::request::ChatRequest;
use super::script::{self, Frame};
use super::simulated::{Pace, Simulated};
use super::temper::{Call, Temper};
use crate::domain::time::Now;

/// What goes back to the client.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: Body,
}

/// The body of a reply.
#[derive(Debug)]
pub(crate) enum Body {
    /// One document, sent after a while.
    Json { after: Duration, document: Value },
    /// An event stream.
    Stream(Vec<Frame>),
}

/// One simulated provider and where it stands.
#[derive(Debug)]
pub(crate) struct Desk {
    simulated: Simulated,
    pace: Pace,
    temper: Temper,
    served: u64,
}

impl Desk {
    /// A provider that has seen no request yet.
    pub(crate) fn new(simulated: Simulated, pace: Pace) -> Self {
        Self { simulated, pace, temper: Temper::of(simulated), served: 0 }
    }

    /// `POST /chat/completions`.
    pub(crate) fn chat(&mut self, key: Option<&str>, body: &[u8], now: Now) -> Reply {
        self.try_chat(key, body, now).unwrap_or_else(|(refusal, headers)| self.refuse(&refusal, headers))
    }

    /// `POST /embeddings`, where the provider has it. It never fails at random: there is nobody to take over.
    pub(crate) fn embed(&self, key: Option<&str>, body: &[u8]) -> Reply {
        self.try_embed(key, body).unwrap_or_else(|refusal| self.refuse(&refusal, Headers::new()))
    }

    /// `GET /models`; OpenRouter shows its catalogue to anyone.
    pub(crate) fn models(&self, key: Option<&str>, now: Now) -> Reply {
        match self.authenticate(key) {
            Err(refusal) if self.simulated != Simulated::OpenRouter => self.refuse(&refusal, Headers::new()),
            _ => json_reply(self.catalogue(now)),
        }
    }

    /// A request that has no place here.
    pub(crate) fn refuse(&self, refusal: &Refusal, mut headers: Headers) -> Reply {
        let refused = refusal.in_dialect_of(self.simulated);
        headers.extend(refused.headers);
        Reply { status: refused.status, headers, body: Body::Json { after: Duration::ZERO, document: refused.body } }
    }

    fn try_chat(&mut self, key: Option<&str>, body: &[u8], now: Now) -> Result<Reply, (Refusal, Headers)> {
        let plain = |refusal| (refusal, Headers::new());
        self.authenticate(key).map_err(plain)?;
        let request = ChatRequest::parse(body).map_err(|why| plain(Refusal::BadRequest(why)))?;
        let model = self.simulated.chat_model(&request.model);
        let model =
            model.ok_or_else(|| plain(Refusal::UnknownModel(self.simulated.bare(&request.model).to_owned())))?;

        let answer = Answer::to(&request, self.simulated, model);
        let budget = request.output_cap().unwrap_or(answer.usage.completion);
        let requested = answer.usage.prompt.saturating_add(budget);
        let (admitted, headers) = self.temper.admit(Call { model, requested, used: answer.usage.total() }, now.mono);
        if let Err(refusal) = admitted {
            return Err((refusal, headers));
        }
        self.served += 1;
        let completion = Completion { simulated: self.simulated, model, serial: self.served, at: now.wall };
        let body = if request.streams() {
            let chunks = completion.chunks(&answer, request.wants_usage());
            Body::Stream(script::script(self.simulated, self.pace, &chunks))
        } else {
            let after = script::duration(self.pace, answer.tokens().len());
            Body::Json { after, document: completion.whole(&answer) }
        };
        Ok(Reply { status: 200, headers, body })
    }

    fn try_embed(&self, key: Option<&str>, body: &[u8]) -> Result<Reply, Refusal> {
        self.authenticate(key)?;
        let request = EmbeddingRequest::parse(body).map_err(Refusal::BadRequest)?;
        let asked = self.simulated.bare(&request.model);
        if self.simulated.embedding_model() != Some(asked) {
            return Err(Refusal::UnknownModel(asked.to_owned()));
        }
        Ok(json_reply(request.answer()))
    }

    /// `key` is what stood behind `Bearer`, if anything did.
    fn authenticate(&self, key: Option<&str>) -> Result<(), Refusal> {
        match key {
            None => Err(Refusal::NoKey),
            Some(key) if key == self.simulated.key() => Ok(()),
            Some(_) => Err(Refusal::WrongKey),
        }
    }

    fn catalogue(&self, now: Now) -> Value {
        let (prefix, owner) = match self.simulated {
            Simulated::Groq => ("", "OpenAI"),
            Simulated::OpenRouter => ("", "openrouter"),
            Simulated::Gemini => ("models/", "google"),
        };
        let models = self.simulated.chat_models().iter().copied().chain(self.simulated.embedding_model());
        let created = now.wall.0 / 1_000;
        let entry =
            |model| json!({"id": format!("{prefix}{model}"), "object": "model", "created": created, "owned_by": owner});
        json!({"object": "list", "data": models.map(entry).collect::<Vec<_>>()})
    }
}

fn json_reply(document: Value) -> Reply {
    Reply { status: 200, headers: Headers::new(), body: Body::Json { after: Duration::ZERO, document } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desk(simulated: Simulated) -> Desk {
        Desk::new(simulated, simulated.pace())
    }

    fn ask(desk: &mut Desk, key: Option<&str>, body: &Value) -> Reply {
        desk.chat(key, body.to_string().as_bytes(), Now::default())
    }

    fn hello(simulated: Simulated) -> Value {
        json!({"model": simulated.chat_models()[0], "messages": [{"role": "user", "content": "Hi"}]})
    }

    fn document(reply: &Reply) -> &Value {
        match &reply.body {
            Body::Json { document, .. } => document,
            Body::Stream(_) => panic!("a stream is no document"),
        }
    }

    #[test]
    fn a_bad_request_or_an_unknown_model_costs_no_quota() {
        let mut groq = desk(Simulated::Groq);
        let key = Some(Simulated::Groq.key());
        for _ in 0..20 {
            assert_eq!(ask(&mut groq, key, &json!({"model": "openai/gpt-oss-120b", "messages": []})).status, 400);
            let unknown = json!({"model": "llama", "messages": [{"role": "user", "content": "Hi"}]});
            assert_eq!(ask(&mut groq, key, &unknown).status, 404);
            assert_eq!(ask(&mut groq, Some("other"), &hello(Simulated::Groq)).status, 401);
        }
        let served = ask(&mut groq, key, &hello(Simulated::Groq));
        assert_eq!(served.status, 200);
        assert!(served.headers.contains(&("x-ratelimit-remaining-requests", "999".to_owned())));
    }

    #[test]
    fn the_fifth_call_at_groq_is_a_429_that_still_carries_the_headers() {
        let mut groq = desk(Simulated::Groq);
        let statuses: Vec<_> =
            (0..5).map(|_| ask(&mut groq, Some("gsk_demo"), &hello(Simulated::Groq)).status).collect();
        assert_eq!(statuses, [200, 200, 200, 200, 429]);
        let refused = ask(&mut groq, Some("gsk_demo"), &hello(Simulated::Groq));
        let names: Vec<_> = refused.headers.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), 7);
        assert!(names.contains(&"retry-after") && names.contains(&"x-ratelimit-reset-tokens"));
    }

    #[test]
    fn a_max_tokens_above_the_minute_is_too_large_at_groq() {
        let mut body = hello(Simulated::Groq);
        body["max_tokens"] = json!(9_000);
        assert_eq!(ask(&mut desk(Simulated::Groq), Some("gsk_demo"), &body).status, 413);
    }

    #[test]
    fn an_answer_in_one_piece_takes_as_long_as_a_stream() {
        let reply = ask(&mut desk(Simulated::OpenRouter), Some("sk-or-demo"), &hello(Simulated::OpenRouter));
        let Body::Json { after, document } = reply.body else { panic!("not a document") };
        let tokens = document["usage"]["completion_tokens"].as_u64().unwrap();
        assert_eq!(after.as_millis(), u128::from(700 + 25 * tokens));
    }

    #[test]
    fn catalogues_list_what_can_be_asked_for() {
        let listed = |simulated: Simulated, key| {
            let reply = desk(simulated).models(key, Now::default());
            let ids =
                document(&reply)["data"].as_array().map(|data| data.iter().map(|model| model["id"].clone()).collect());
            (reply.status, ids.unwrap_or_default())
        };
        let google = ["models/gemini-3.6-flash", "models/gemini-3.1-flash-lite", "models/gemini-embedding-001"];
        assert_eq!(listed(Simulated::Gemini, Some("AIza-demo")), (200, google.map(Value::from).to_vec()));
        assert_eq!(listed(Simulated::Groq, None), (401, vec![]));
        assert_eq!(listed(Simulated::OpenRouter, None).0, 200);
    }

    #[test]
    fn embeddings_want_the_embedding_model() {
        let gemini = desk(Simulated::Gemini);
        let ask = |model: &str| {
            let body = json!({"model": model, "input": "Hi"}).to_string();
            gemini.embed(Some("AIza-demo"), body.as_bytes()).status
        };
        assert_eq!(ask("gemini-embedding-001"), 200);
        assert_eq!(ask("models/gemini-embedding-001"), 200);
        assert_eq!(ask("gemini-3.6-flash"), 404);
    }
}
