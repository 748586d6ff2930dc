//! The part of a completion that this proxy looks at, borrowed from the provider's bytes.
//!
//! One shape serves both the chunk of a stream (`delta`) and the whole answer (`message`). Texts are kept as raw JSON:
//! only whether they are empty matters, and a model may split an emoji into two chunks, each with half a surrogate
//! pair, which a JSON string reader would refuse. Members of an unexpected type count as absent.

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, SeqAccess};
use serde_json::value::RawValue;

use super::Finish;
use crate::domain::lenient::{Lenient, Member};

/// A completion, or a chunk of one, or whatever came in its place.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wire<'a> {
    #[serde(borrow)]
    pub(crate) choices: Lenient<Choices<'a>>,
    #[serde(borrow)]
    pub(crate) usage: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) x_groq: Lenient<Groq<'a>>,
    #[serde(borrow)]
    pub(crate) error: Option<&'a RawValue>,
    /// The result of an embeddings call.
    #[serde(borrow)]
    pub(crate) data: Option<&'a RawValue>,
    /// The text of the flat envelopes.
    #[serde(borrow)]
    pub(crate) message: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) detail: Option<&'a RawValue>,
    /// Cloudflare's envelope.
    #[serde(borrow)]
    pub(crate) errors: Option<&'a RawValue>,
}

impl<'a> Wire<'a> {
    /// Reads an object; anything else is an error.
    pub(crate) fn parse(json: &'a [u8]) -> Result<Self, serde_json::Error> {
        match json.trim_ascii_start().first() {
            // A derived struct would read an array as its members in order.
            Some(b'[') => Err(Error::custom("an array")),
            _ => serde_json::from_slice(json),
        }
    }

    /// True when this is an error envelope, alone or beside choices.
    pub(crate) fn failed(&self) -> bool {
        let in_envelope = filled(self.error)
            || filled(self.x_groq.0.error)
            || self.choices.0.error
            || self.choices.0.finish == Some(Finish::Error);
        let is_answer = self.choices.0.listed || self.has_embeddings();
        in_envelope || (!is_answer && (filled(self.message) || filled(self.detail) || filled(self.errors)))
    }

    /// True for the answer to an embeddings call: a list of vectors.
    pub(crate) fn has_embeddings(&self) -> bool {
        filled(self.data) && self.data.is_some_and(|data| data.get().starts_with('['))
    }
}

/// Groq's extension of a chunk.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Groq<'a> {
    #[serde(borrow)]
    pub(crate) usage: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) error: Option<&'a RawValue>,
}

impl<'de: 'a, 'a> Member<'de> for Groq<'a> {
    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        Self::deserialize(MapAccessDeserializer::new(map))
    }
}

/// All choices of a completion, folded into what one of them says.
#[derive(Default)]
pub(crate) struct Choices<'a> {
    /// There is a list of choices, possibly empty.
    pub(crate) listed: bool,
    pub(crate) count: usize,
    /// A delta holds something for the client.
    pub(crate) delta: bool,
    /// A message holds something for the client.
    pub(crate) message: bool,
    /// Bytes of what is there for the client.
    pub(crate) text: u64,
    pub(crate) finish: Option<Finish>,
    /// One bit for each choice that holds something and goes on.
    pub(crate) begun: u64,
    /// One bit for each choice that has stopped.
    pub(crate) ended: u64,
    /// A choice has an error of its own.
    pub(crate) error: bool,
    /// Usage that a choice reports.
    pub(crate) usage: Option<&'a RawValue>,
}

impl<'a> Choices<'a> {
    fn add(&mut self, choice: &Choice<'a>) {
        let bit = 1 << choice.place(self.count).min(63);
        self.count += 1;
        self.delta |= choice.delta.0.filled();
        self.message |= choice.message.0.filled();
        self.text = self.text.saturating_add(choice.delta.0.length()).saturating_add(choice.message.0.length());
        self.error |= filled(choice.error);
        self.usage = choice.usage.or(self.usage);
        let finish = choice.finish_reason.and_then(|reason| Finish::of(reason.get()));
        match finish {
            Some(_) => self.ended |= bit,
            None if choice.delta.0.filled() => self.begun |= bit,
            None => {}
        }
        // A failure of one choice is a failure of the answer.
        if self.finish != Some(Finish::Error) {
            self.finish = finish.or(self.finish);
        }
    }
}

impl<'de: 'a, 'a> Member<'de> for Choices<'a> {
    fn from_list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut choices = Choices { listed: true, ..Choices::default() };
        while let Some(Lenient(choice)) = list.next_element::<Lenient<Choice<'a>>>()? {
            choices.add(&choice);
        }
        Ok(choices)
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Choice<'a> {
    #[serde(borrow)]
    index: Option<&'a RawValue>,
    #[serde(borrow)]
    delta: Lenient<Message<'a>>,
    #[serde(borrow)]
    message: Lenient<Message<'a>>,
    #[serde(borrow)]
    finish_reason: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

impl<'de: 'a, 'a> Member<'de> for Choice<'a> {
    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        Self::deserialize(MapAccessDeserializer::new(map))
    }
}

impl Choice<'_> {
    /// Which of several it is.
    fn place(&self, in_list: usize) -> usize {
        self.index.and_then(|index| index.get().parse().ok()).unwrap_or(in_list)
    }
}

/// What a choice gives to the client. Each member alone makes the answer worth having.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Message<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    /// Reasoning as Groq and OpenRouter name it.
    #[serde(borrow)]
    reasoning: Option<&'a RawValue>,
    /// Reasoning as DeepSeek, Z.ai and vLLM name it.
    #[serde(borrow)]
    reasoning_content: Option<&'a RawValue>,
    #[serde(borrow)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_calls: Option<&'a RawValue>,
    /// The predecessor of `tool_calls`.
    #[serde(borrow)]
    function_call: Option<&'a RawValue>,
    #[serde(borrow)]
    audio: Option<&'a RawValue>,
}

impl<'de: 'a, 'a> Member<'de> for Message<'a> {
    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        Self::deserialize(MapAccessDeserializer::new(map))
    }
}

impl Message<'_> {
    fn filled(&self) -> bool {
        filled(self.content)
            || filled(self.reasoning)
            || filled(self.reasoning_content)
            || filled(self.tool_calls)
            || filled(self.refusal)
            || filled(self.function_call)
            || filled(self.audio)
    }

    /// Bytes of what costs tokens. Where reasoning is given twice, it was produced once.
    fn length(&self) -> u64 {
        let reasoning = self.reasoning_content.filter(|json| filled(Some(json))).or(self.reasoning);
        let parts = [self.content, reasoning, self.refusal, self.tool_calls, self.function_call];
        // Without the quotes.
        let lengths = parts.into_iter().filter(|part| filled(*part)).flatten().map(|part| part.get().len() - 2);
        u64::try_from(lengths.sum::<usize>()).unwrap_or(u64::MAX)
    }
}

/// True for a non-empty string, list or object, and for `true`.
pub(crate) fn filled(json: Option<&RawValue>) -> bool {
    let Some((first, rest)) = json.and_then(|json| json.get().as_bytes().split_first()) else { return false };
    let next = || rest.trim_ascii_start().first();
    match first {
        b'"' => rest.first() != Some(&b'"'),
        b'[' => next() != Some(&b']'),
        b'{' => next() != Some(&b'}'),
        b't' => true,
        _ => false,
    }
}
