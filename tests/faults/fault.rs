//! One fault: how it is played, and what is to come of it.

use crate::support::provider::Answer;

/// Where the faulty entry points to.
#[derive(Clone)]
pub enum Place {
    /// A scripted provider.
    Scripted(Answer),
    /// An address that is no provider.
    At(&'static str),
    /// Called over TLS, and answers so, in plain text.
    Secure(&'static str),
    /// Answers so as soon as anything has come, without reading the request.
    Early(&'static str),
}

/// What a client is to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// The healthy entry answers; alone it is 503 with the reason.
    Passed,
    /// It is no fault: the answer comes through.
    Answered,
    /// The provider's own refusal comes back at once.
    Returned(u16),
    /// The healthy entry answers; alone the provider's own refusal comes back.
    Doubted(u16),
    /// The client has seen a part: one error event, and no `[DONE]`.
    Broken,
}

/// A fault.
pub struct Fault {
    pub name: String,
    pub whole: Place,
    pub stream: Place,
    pub expect_whole: Expect,
    pub expect_stream: Expect,
    /// Calls of the faulty provider for one request.
    pub calls: usize,
    /// More settings, as lines of YAML.
    pub settings: &'static str,
    /// Type of the faulty provider.
    pub dialect: &'static str,
    /// Bytes that are added to the request.
    pub padding: usize,
}

impl Fault {
    /// The same answer for streams and for whole answers.
    pub fn both(name: impl Into<String>, answer: Answer, expect: Expect) -> Self {
        Self::place(name, Place::Scripted(answer), expect)
    }

    pub fn place(name: impl Into<String>, place: Place, expect: Expect) -> Self {
        Self {
            name: name.into(),
            whole: place.clone(),
            stream: place,
            expect_whole: expect,
            expect_stream: expect,
            calls: 1,
            settings: "",
            dialect: "generic-openai",
            padding: 0,
        }
    }

    /// An answer each.
    pub fn each(name: impl Into<String>, whole: (Answer, Expect), stream: (Answer, Expect)) -> Self {
        Self { stream: Place::Scripted(stream.0), expect_stream: stream.1, ..Self::both(name, whole.0, whole.1) }
    }

    /// A fault of streams; a whole answer from there is fine.
    pub fn of_stream(name: impl Into<String>, stream: Answer, expect: Expect) -> Self {
        Self::each(name, (Answer::ok(), Expect::Answered), (stream, expect))
    }

    pub fn calls(self, calls: usize) -> Self {
        Self { calls, ..self }
    }

    pub fn settings(self, settings: &'static str) -> Self {
        Self { settings, ..self }
    }

    pub fn dialect(self, dialect: &'static str) -> Self {
        Self { dialect, ..self }
    }

    pub fn padding(self, padding: usize) -> Self {
        Self { padding, ..self }
    }
}
