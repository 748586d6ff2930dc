//! The providers of a history: what they admit, and the bytes that they answer with.

use std::time::Duration;

use chain429::domain::time::Wall;

use super::plan::{Ask, Host, Plan, Voice};
use crate::support::quota::truth::{Admission, Ticket, Truth, Which};

/// 2026-11-24T00:00:00Z
const MIDNIGHT: u64 = 1_795_478_400_000;

/// All providers.
pub struct Providers {
    pub hosts: Vec<Host>,
    /// By provider, key and model (or 0 for all models).
    truths: Vec<Vec<Vec<Truth>>>,
    start: u64,
}

/// Whose quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    pub host: usize,
    pub key: usize,
    pub model: usize,
}

/// An answer on its way.
#[derive(Clone, Debug)]
pub struct Message {
    pub status: u16,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

/// A refusal, and why.
pub struct Refused {
    pub which: Which,
    pub wait: Option<Duration>,
    pub message: Message,
}

impl Providers {
    pub fn new(plan: &Plan) -> Self {
        let hosts = plan.hosts.clone();
        let truths: Vec<_> = hosts
            .iter()
            .map(|host| {
                let models = if host.pooled() { 1 } else { host.models };
                let truth = || Truth::new(host.rules(), host.slots(), Duration::ZERO);
                (0..host.keys).map(|_| (0..models).map(|_| truth()).collect()).collect()
            })
            .collect();
        let start = MIDNIGHT.checked_add_signed(plan.start).unwrap();
        Self { truths, hosts, start }
    }

    /// The time at `at` milliseconds of the history.
    pub fn wall(&self, at: u64) -> Wall {
        Wall(self.start + at)
    }

    /// Who owns the quota of calls to this model with this key.
    pub fn owner(&self, host: usize, key: usize, model: usize) -> Owner {
        Owner { host, key, model: if self.hosts[host].pooled() { 0 } else { model } }
    }

    pub fn truth(&self, owner: Owner) -> &Truth {
        &self.truths[owner.host][owner.key][owner.model]
    }

    fn truth_mut(&mut self, owner: Owner) -> &mut Truth {
        &mut self.truths[owner.host][owner.key][owner.model]
    }

    pub fn arrive(&mut self, owner: Owner, ask: &Ask, now: Wall) -> Result<Ticket, Refused> {
        let voice = self.hosts[owner.host].voice;
        let tokens = self.hosts[owner.host].counts(ask);
        let truth = self.truth_mut(owner);
        match truth.arrive(tokens, 0, now) {
            Admission::Admit(ticket) => Ok(ticket),
            Admission::Refuse { which, retry_after: wait } => {
                let refusal = voice.style().refusal(truth, which, wait, now);
                let headers = lines(voice, &refusal.headers);
                Err(Refused { which, wait, message: Message { status: 429, headers, body: refusal.body.into_bytes() } })
            }
        }
    }

    pub fn finish(&mut self, owner: Owner, ticket: Ticket, tokens: u64, now: Wall) {
        self.truth_mut(owner).finish(ticket, tokens, now);
    }

    /// What a good answer that is written now says in its head.
    pub fn headers(&mut self, owner: Owner, now: Wall) -> Vec<(String, Vec<u8>)> {
        let voice = self.hosts[owner.host].voice;
        let text = voice.style().headers(self.truth_mut(owner), now);
        lines(voice, &text)
    }
}

impl Message {
    pub fn whole(headers: Vec<(String, Vec<u8>)>, ask: &Ask) -> Self {
        let (prompt, answer) = (prompt_tokens(ask), ask.answer);
        let body = format!(
            r#"{{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{{"index":0,"message":{{"role":"assistant","content":"Hi"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":{prompt},"completion_tokens":{answer},"total_tokens":{}}}}}"#,
            prompt + answer
        );
        Self { status: 200, headers, body: body.into_bytes() }
    }

    pub fn server_error() -> Self {
        let body = br#"{"error":{"message":"internal","type":"server_error"}}"#.to_vec();
        Self { status: 500, headers: Vec::new(), body }
    }
}

impl Host {
    /// The tokens that a call is charged when it arrives.
    pub fn counts(&self, ask: &Ask) -> u64 {
        let most = ask.most.filter(|_| self.voice.dialect().reserves_output());
        prompt_tokens(ask) + most.unwrap_or(0)
    }
}

/// Four bytes are a token here.
pub fn prompt_tokens(ask: &Ask) -> u64 {
    ask.bytes.div_ceil(4)
}

fn lines(voice: Voice, text: &str) -> Vec<(String, Vec<u8>)> {
    let lines = text.lines().filter_map(|line| line.split_once(": "));
    lines
        .map(|(name, value)| {
            let value = match value.split_once('.') {
                Some((seconds, rest)) if voice == Voice::Seconds && name.contains("reset") => {
                    let more = rest.bytes().any(|digit| digit != b'0');
                    (seconds.parse::<u64>().unwrap() + u64::from(more)).to_string()
                }
                _ => value.to_owned(),
            };
            (name.to_owned(), value.into_bytes())
        })
        .collect()
}
