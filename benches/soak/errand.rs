//! What a client sets out for: one request, and when it leaves.

use std::time::Duration;

use crate::ask::MARK;
use crate::chains::{Chain, Chains};
use crate::dice::Dice;
use crate::proxy::KEY;

/// Kilobytes of a large prompt.
const LARGE: usize = 200;

/// One request.
#[derive(Debug)]
pub(crate) struct Errand {
    /// For the table.
    pub(crate) name: &'static str,
    /// What is asked for.
    pub(crate) model: String,
    /// As a stream.
    pub(crate) stream: bool,
    /// Head and body.
    pub(crate) bytes: Vec<u8>,
    /// Stands in the request, and has to stand in its answer.
    pub(crate) nonce: String,
    /// When the client leaves.
    pub(crate) leave: Leave,
    /// It leaves the hard way.
    pub(crate) reset: bool,
    /// Reads slowly.
    pub(crate) slow: bool,
    /// What has to come back.
    pub(crate) expect: Expect,
}

/// When a client leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// When it has the answer.
    Never,
    /// When so many parts of a stream have come.
    Parts(u64),
    /// If the answer has not begun by then.
    After(Duration),
    /// In the middle of its request.
    Sending,
}

/// What has to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// An answer.
    Served,
    /// An answer, or an honest refusal.
    ServedOrNot,
    /// This status with this code.
    Error(u16, &'static str),
}

/// Writes errands.
#[derive(Debug)]
pub(crate) struct Desk<'a> {
    chains: &'a Chains,
    dice: Dice,
    client: u64,
    count: u64,
}

impl<'a> Desk<'a> {
    /// For one client.
    pub(crate) fn new(chains: &'a Chains, seed: u64, client: u64) -> Self {
        Self { chains, dice: Dice::new(seed, client), client, count: 0 }
    }

    /// The next one.
    pub(crate) fn next(&mut self) -> Option<Errand> {
        self.count += 1;
        let half = self.dice.below(2) == 0;
        let die = self.dice.below(100);
        let chains = self.chains;
        let mixed = self.dice.pick(&chains.mixed)?;
        let alone = self.dice.pick(&chains.alone)?;
        Some(match die {
            0..26 => self.chat("whole", mixed, false),
            26..48 => self.chat("stream", mixed, true),
            48..57 => {
                let chain = if half { mixed } else { &chains.slow };
                let leave = Leave::Parts(1 + self.dice.below(4));
                Errand { leave, reset: self.dice.below(2) == 0, ..self.chat("stream, left midway", chain, true) }
            }
            57..65 => {
                let chain = [&chains.slow, mixed, &chains.busy, alone].get(self.dice.below(4) as usize).copied()?;
                // The hard way loses what the other side has not read yet, so that needs some time.
                let reset = self.dice.below(2) == 0;
                let wait = self.dice.below(200) + if reset { 50 } else { 0 };
                let leave = Leave::After(Duration::from_millis(wait));
                Errand { leave, reset, ..self.chat("answer not awaited", chain, half) }
            }
            65..67 => {
                let errand = self.large("left while sending", mixed, half);
                Errand { leave: Leave::Sending, ..errand }
            }
            67..69 => Errand { slow: true, ..self.chat("slow reader", &chains.long, true) },
            69..73 => self.malformed(mixed),
            73..77 => self.unknown(half),
            77..85 => self.embeddings(mixed),
            85..90 => self.large("large prompt", mixed, half),
            90..96 => self.chat("a fault alone", alone, half),
            _ => self.chat("waits for a slot", &chains.busy, half),
        })
    }

    fn chat(&self, name: &'static str, chain: &Chain, stream: bool) -> Errand {
        self.errand(name, chain, stream, "/v1/chat/completions", |nonce| chat(&chain.name, stream, nonce, 0))
    }

    fn large(&self, name: &'static str, chain: &Chain, stream: bool) -> Errand {
        self.errand(name, chain, stream, "/v1/chat/completions", |nonce| chat(&chain.name, stream, nonce, LARGE))
    }

    fn embeddings(&self, chain: &Chain) -> Errand {
        self.errand("embeddings", chain, false, "/v1/embeddings", |nonce| {
            format!(r#"{{"model":"{}","input":["{nonce} one","two"]}}"#, chain.name)
        })
    }

    fn malformed(&self, chain: &Chain) -> Errand {
        let errand = self.errand("malformed JSON", chain, false, "/v1/chat/completions", |nonce| {
            let mut body = chat(&chain.name, false, nonce, 0);
            body.truncate(body.len() / 2);
            body
        });
        Errand { expect: Expect::Error(400, "invalid_request"), model: String::new(), ..errand }
    }

    fn unknown(&self, stream: bool) -> Errand {
        let model = "nobody-knows-this";
        let chain = &self.chains.slow;
        let errand =
            self.errand("unknown model", chain, stream, "/v1/chat/completions", |nonce| chat(model, stream, nonce, 0));
        Errand { expect: Expect::Error(404, "model_not_found"), model: model.to_owned(), ..errand }
    }

    fn errand(
        &self,
        name: &'static str,
        chain: &Chain,
        stream: bool,
        path: &str,
        body: impl FnOnce(&str) -> String,
    ) -> Errand {
        let nonce = format!("{MARK}{:06x}{:010x}", self.client, self.count);
        let body = body(&nonce);
        let bytes = format!(
            "POST {path} HTTP/1.1\r\nhost: soak.localhost\r\nauthorization: Bearer {KEY}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes();
        let expect = if chain.guarded { Expect::Served } else { Expect::ServedOrNot };
        let model = chain.name.clone();
        Errand { name, model, stream, bytes, nonce, leave: Leave::Never, reset: false, slow: false, expect }
    }
}

fn chat(model: &str, stream: bool, nonce: &str, kilobytes: usize) -> String {
    let text = "Nobody asked the quick brown fox to jump over the lazy dog, no. ".repeat(16 * kilobytes);
    format!(
        r#"{{"model":"{model}","stream":{stream},"max_tokens":64,"messages":[{{"role":"user","content":"{nonce} {text}"}}]}}"#
    )
}
