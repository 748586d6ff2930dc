//! How a provider behaves.

use crate::step::Step;

/// How one provider behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// Its id in the configuration.
    pub(crate) name: &'static str,
    /// What is wrong with an answer that is no stream; `None` when those are good.
    pub(crate) whole: Option<&'static [Step]>,
    /// What is wrong with a stream; `None` when those are good.
    pub(crate) stream: Option<&'static [Step]>,
    /// Which of its answers are so.
    pub(crate) when: When,
    /// A stream may break off after its first content, which nobody can hide from the client.
    pub(crate) breaks: bool,
    /// It refuses the request itself: if nobody else is in the chain, its 4xx goes to the client.
    pub(crate) blames: bool,
    /// It is as sure of that as can be: whoever comes next has the last word.
    pub(crate) sure: bool,
    /// It answers before it has read the body.
    pub(crate) early: bool,
    /// Nobody listens at its address.
    pub(crate) absent: bool,
    /// Keys in the configuration; those that begin with `dead` are rejected.
    pub(crate) keys: &'static str,
    /// Further lines in the configuration.
    pub(crate) limits: &'static str,
}

/// Which calls meet the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// All.
    Always,
    /// One in three.
    Third,
    /// Four in a row of six.
    InRows,
}

impl When {
    /// Whether the call does that comes after `before` others.
    pub(crate) fn is_now(self, before: u64) -> bool {
        match self {
            Self::Always => true,
            Self::Third => before.is_multiple_of(3),
            Self::InRows => before % 6 < 4,
        }
    }
}

impl Manner {
    /// Answers and streams differ.
    pub(crate) const fn each(name: &'static str, whole: &'static [Step], stream: &'static [Step]) -> Self {
        Self {
            name,
            whole: Some(whole),
            stream: Some(stream),
            when: When::Third,
            breaks: false,
            blames: false,
            sure: false,
            early: false,
            absent: false,
            keys: "live",
            limits: "",
        }
    }

    /// The same whatever is asked for.
    pub(crate) const fn both(name: &'static str, steps: &'static [Step]) -> Self {
        Self::each(name, steps, steps)
    }

    /// Streams only.
    pub(crate) const fn streams(name: &'static str, steps: &'static [Step]) -> Self {
        Self { whole: None, ..Self::each(name, steps, steps) }
    }

    pub(crate) const fn always(self) -> Self {
        Self { when: When::Always, ..self }
    }

    pub(crate) const fn breaks(self) -> Self {
        Self { breaks: true, ..self }
    }

    pub(crate) const fn in_rows(self) -> Self {
        Self { when: When::InRows, ..self }
    }

    pub(crate) const fn blames(self) -> Self {
        Self { blames: true, ..self }
    }

    pub(crate) const fn sure(self) -> Self {
        Self { sure: true, ..self.blames() }
    }

    pub(crate) const fn early(self) -> Self {
        Self { early: true, ..self }
    }

    pub(crate) const fn absent(self) -> Self {
        Self { absent: true, ..self }
    }

    pub(crate) const fn keys(self, keys: &'static str) -> Self {
        Self { keys, ..self }
    }

    pub(crate) const fn limits(self, limits: &'static str) -> Self {
        Self { limits, ..self }
    }
}
