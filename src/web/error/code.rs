//! Machine codes of errors: what a client can tell apart.

use actix_web::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident = $name:literal, $status:ident;)*) => {
        /// Machine code of an error.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, ToSchema)]
        #[schema(as = ErrorCode)]
        #[serde(rename_all = "snake_case")]
        pub enum Code {
            $($(#[$doc])* $code,)*
        }

        impl Code {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$code),*];

            /// As it stands in an answer, and in the log.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$code => $name,)*
                }
            }

            /// HTTP status of the answer.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self {
                    $(Self::$code => StatusCode::$status,)*
                }
            }
        }
    };
}

codes! {
    /// No key, or a wrong one.
    InvalidApiKey = "invalid_api_key", UNAUTHORIZED;
    /// A client's key where an admin's is needed.
    AdminRequired = "admin_required", FORBIDDEN;
    /// The body or a parameter is wrong.
    InvalidRequest = "invalid_request", BAD_REQUEST;
    /// What the path or the body names does not exist, or was not recorded.
    NotFound = "not_found", NOT_FOUND;
    /// The database cannot be read.
    RecordsUnavailable = "records_unavailable", SERVICE_UNAVAILABLE;
    /// The request is longer than the context of every model of its chain.
    ContextLengthExceeded = "context_length_exceeded", BAD_REQUEST;
    /// The body is larger than is read, or than every entry of its chain takes.
    RequestTooLarge = "request_too_large", PAYLOAD_TOO_LARGE;
    /// The model names nothing.
    ModelNotFound = "model_not_found", NOT_FOUND;
    /// The path names nothing.
    UnknownPath = "unknown_path", NOT_FOUND;
    /// The path exists, the method does not.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED;
    /// No entry of the chain has quota left, and none has it back in time.
    AllProvidersExhausted = "all_providers_exhausted", SERVICE_UNAVAILABLE;
    /// Too many requests wait for the chain already.
    QueueFull = "queue_full", SERVICE_UNAVAILABLE;
    /// No quota came back in the time that a request may wait.
    QueueTimeout = "queue_timeout", SERVICE_UNAVAILABLE;
    /// There is no chain yet that the request could go to.
    NoChain = "no_chain", SERVICE_UNAVAILABLE;
    /// The chain was taken out of the configuration while the request waited.
    ChainGone = "chain_gone", SERVICE_UNAVAILABLE;
    /// The configuration file is not used, because of what is wrong with it.
    InvalidConfig = "invalid_config", UNPROCESSABLE_ENTITY;
    /// There is no configuration file.
    NoConfigFile = "no_config_file", CONFLICT;
    /// The configuration file is another one now than the change was made from.
    ConfigChanged = "config_changed", CONFLICT;
    /// The configuration file must not be written.
    ConfigReadOnly = "config_read_only", CONFLICT;
    /// The configuration file could not be written.
    ConfigNotWritten = "config_not_written", SERVICE_UNAVAILABLE;
    /// Something else needs what is to be taken away.
    InUse = "in_use", CONFLICT;
    /// A defect of the proxy.
    InternalError = "internal_error", INTERNAL_SERVER_ERROR;
    /// The process is on its way out.
    ShuttingDown = "shutting_down", SERVICE_UNAVAILABLE;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_one_name() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.name());
        }
    }
}
