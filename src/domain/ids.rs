//! Names of things, each its own type so that they cannot be mixed up. All are cheap to clone.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps text that the configuration has checked.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}

name! {
    /// Id of a configured provider (an upstream account).
    ProviderId
}
name! {
    /// A model id as the provider spells it. May contain `/` and `:`.
    ModelId
}
name! {
    /// Name of a configured chain.
    ChainName
}

/// Provider + model: the unit that owns quota. Shown as `provider/model`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId {
    /// The account that is called.
    pub provider: ProviderId,
    /// The model asked for there.
    pub model: ModelId,
}

impl EntryId {
    /// `provider/model`, without the detour over formatting.
    #[must_use]
    pub fn label(&self) -> String {
        [self.provider.as_str(), "/", self.model.as_str()].concat()
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.model)
    }
}

impl Serialize for EntryId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_reads_as_provider_slash_model() {
        let entry = EntryId { provider: ProviderId::new("openrouter"), model: ModelId::new("qwen/qwen3:free") };
        assert_eq!(entry.to_string(), "openrouter/qwen/qwen3:free");
        assert_eq!(serde_json::to_string(&entry).unwrap(), r#""openrouter/qwen/qwen3:free""#);
    }
}
