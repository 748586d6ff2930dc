//! Ways in which a call ends without a usable answer.

use std::io;
use std::time::Duration;

use actix_http::error::ParseError;
use awc::error::{ConnectError, PayloadError, SendRequestError};

use crate::domain::classify::broken;
use crate::domain::dialect::Dialect;
use crate::domain::outcome::{CooldownClass, Reason, Target, Verdict};
use crate::domain::trail::Span;

/// Why a call brought no usable answer. The texts are for people; they hold neither keys nor bodies.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Refused, unreachable, reset, DNS, TLS.
    #[error("{0}")]
    Connect(String),
    /// The connection broke before the answer began.
    #[error("before the answer: {0}")]
    Lost(String),
    /// The connection broke when the answer had begun.
    #[error("connection lost {0}")]
    LostMidway(String),
    /// What came was no HTTP.
    #[error("invalid HTTP answer: {0}")]
    Invalid(String),
    /// This machine has no file descriptor left for a connection.
    #[error("no file descriptor is free here; raise the limit of open files (ulimit -n)")]
    NoFiles,
    /// The request cannot be sent as configured.
    #[error("request cannot be sent: {0}")]
    Unsendable(String),
    /// No answer in time.
    #[error("no {what} within {}", Span(*.limit))]
    Timeout {
        /// What did not come.
        what: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// The body broke off.
    #[error("answer cut off: {0}")]
    Cut(String),
    /// The body has a form that cannot be read.
    #[error("{0}")]
    Unreadable(&'static str),
    /// The body is larger than allowed.
    #[error("answer larger than settings.maxAnswerBytes ({0})")]
    TooLarge(usize),
}

impl CallError {
    /// A stream with an event that is no JSON.
    pub const GARBLED: Self = Self::Unreadable("a part of the stream is not JSON");

    /// True when the connection ended before the answer began. A kept one had been closed by the provider perhaps: worth
    /// one retry on a new one.
    #[must_use]
    pub fn lost(&self) -> bool {
        matches!(self, Self::Lost(_))
    }

    /// False when nothing of the request can have reached the provider.
    #[must_use]
    pub fn reached(&self) -> bool {
        !matches!(self, Self::Connect(_) | Self::Unsendable(_) | Self::NoFiles)
    }

    /// For the trail, where how long a call took is said already.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Timeout { what, .. } => format!("no {what}"),
            other => other.to_string(),
        }
    }

    /// What it means for the request and the entry.
    #[must_use]
    pub fn verdict(&self, dialect: Dialect) -> Verdict {
        let reason = match self {
            Self::Connect(_) | Self::Invalid(_) => Reason::Transport,
            Self::Lost(_) | Self::LostMidway(_) => Reason::Lost,
            Self::Timeout { .. } => Reason::Timeout,
            Self::Cut(_) => Reason::Truncated,
            Self::TooLarge(_) | Self::Unreadable(_) => Reason::Unreadable,
            // The provider has nothing to do with it.
            Self::NoFiles => return Verdict::skip(Reason::Transport),
            Self::Unsendable(_) => {
                return Verdict::cool(Reason::ProviderRejected, Target::Provider, CooldownClass::ProviderRejected);
            }
        };
        broken(dialect, reason)
    }
}

impl From<SendRequestError> for CallError {
    fn from(fault: SendRequestError) -> Self {
        match fault {
            SendRequestError::Connect(ConnectError::Disconnected) => Self::Lost("disconnected".into()),
            SendRequestError::Connect(ConnectError::Timeout) => Self::Connect("connect timeout".into()),
            SendRequestError::Connect(ConnectError::Io(fault)) if is_out_of_files(&fault) => Self::NoFiles,
            SendRequestError::Connect(ConnectError::Resolver(fault))
                if fault.downcast_ref::<io::Error>().is_some_and(is_out_of_files) =>
            {
                Self::NoFiles
            }
            SendRequestError::Connect(fault) => Self::Connect(fault.to_string()),
            SendRequestError::Send(fault) => Self::Lost(fault.to_string()),
            SendRequestError::Response(ParseError::Io(fault)) if fault.kind() == io::ErrorKind::UnexpectedEof => {
                Self::LostMidway(fault.to_string())
            }
            SendRequestError::Response(ParseError::Io(fault)) => Self::Lost(fault.to_string()),
            SendRequestError::Response(fault) => Self::Invalid(fault.to_string()),
            SendRequestError::Timeout => Self::Connect("timeout".into()),
            SendRequestError::Url(fault) => Self::Unsendable(fault.to_string()),
            SendRequestError::Http(fault) => Self::Unsendable(fault.to_string()),
            other => Self::Invalid(other.to_string()),
        }
    }
}

impl From<PayloadError> for CallError {
    fn from(fault: PayloadError) -> Self {
        Self::Cut(fault.to_string())
    }
}

/// `ENFILE` and `EMFILE`, which have these numbers on all systems that have them.
fn is_out_of_files(fault: &io::Error) -> bool {
    cfg!(unix) && matches!(fault.raw_os_error(), Some(23 | 24))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lack_of_files_here_is_not_the_providers_fault() {
        let fault = ConnectError::Io(io::Error::from_raw_os_error(24));
        let fault = CallError::from(SendRequestError::Connect(fault));
        assert_eq!(fault.verdict(Dialect::Groq), Verdict::skip(Reason::Transport));
        assert!(!fault.reached() && fault.detail().contains("ulimit"));
        let unresolved = ConnectError::Resolver(Box::new(io::Error::from_raw_os_error(24)));
        assert!(matches!(CallError::from(SendRequestError::Connect(unresolved)), CallError::NoFiles));
        let refused = ConnectError::Io(io::Error::from(io::ErrorKind::ConnectionRefused));
        assert!(matches!(CallError::from(SendRequestError::Connect(refused)), CallError::Connect(_)));
    }
}
