//! How a request ended, in a few words: machine codes of errors are many, and what is counted by them is to stay small.

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// With the answer of an entry.
    Served,
    /// With an answer that broke off in the middle.
    StreamInterrupted,
    /// The client left.
    ClientClosed,
    /// The client took nothing of its stream.
    ClientStalled,
    /// With the refusal of a provider.
    Refused,
    /// Nobody could serve it.
    Exhausted,
    /// It has waited for as long as it may.
    QueueTimeout,
    /// Too many were waiting.
    QueueFull,
    /// It could not be read.
    InvalidRequest,
    /// It was too large for the proxy or for everybody.
    TooLarge,
    /// Its model names nothing.
    ModelNotFound,
    /// There was no chain yet.
    NoChain,
    /// The process was on its way out.
    ShuttingDown,
    /// In a way that has no name here.
    Other,
}

impl Ending {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Served,
        Self::StreamInterrupted,
        Self::ClientClosed,
        Self::ClientStalled,
        Self::Refused,
        Self::Exhausted,
        Self::QueueTimeout,
        Self::QueueFull,
        Self::InvalidRequest,
        Self::TooLarge,
        Self::ModelNotFound,
        Self::NoChain,
        Self::ShuttingDown,
        Self::Other,
    ];

    /// What the machine code of a row comes to.
    #[must_use]
    pub fn of(code: Option<&str>) -> Self {
        match code {
            None => Self::Served,
            Some("stream_interrupted") => Self::StreamInterrupted,
            Some("client_closed") => Self::ClientClosed,
            Some("client_stalled") => Self::ClientStalled,
            Some("refused_upstream") => Self::Refused,
            Some("all_providers_exhausted" | "chain_gone") => Self::Exhausted,
            Some("queue_timeout") => Self::QueueTimeout,
            Some("queue_full") => Self::QueueFull,
            Some("invalid_request") => Self::InvalidRequest,
            Some("request_too_large" | "context_length_exceeded") => Self::TooLarge,
            Some("model_not_found") => Self::ModelNotFound,
            Some("no_chain") => Self::NoChain,
            Some("shutting_down") => Self::ShuttingDown,
            Some(_) => Self::Other,
        }
    }

    /// As a label.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Served => "served",
            Self::StreamInterrupted => "stream_interrupted",
            Self::ClientClosed => "client_closed",
            Self::ClientStalled => "client_stalled",
            Self::Refused => "refused",
            Self::Exhausted => "exhausted",
            Self::QueueTimeout => "queue_timeout",
            Self::QueueFull => "queue_full",
            Self::InvalidRequest => "invalid_request",
            Self::TooLarge => "too_large",
            Self::ModelNotFound => "model_not_found",
            Self::NoChain => "no_chain",
            Self::ShuttingDown => "shutting_down",
            Self::Other => "other",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_ending_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = Ending::ALL.iter().map(|ending| ending.name()).collect();
        assert_eq!(names.len(), Ending::ALL.len());
    }

    proptest! {
        #[test]
        fn any_code_is_one_of_a_few_endings(code in "[a-z_]{0,30}|\\PC*") {
            prop_assert!(Ending::ALL.contains(&Ending::of(Some(&code))));
        }
    }
}
