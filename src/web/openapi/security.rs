//! Which key opens which door.

use utoipa::openapi::SecurityRequirement;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};

use crate::web::error::Code;

/// Who may call something. `gate` is what holds to it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// Also without a key.
    Anyone,
    /// From this machine without a key, else with any.
    AnyoneHere,
    /// With a client key.
    Clients,
    /// With a client key or an admin key.
    Everybody,
    /// With an admin key.
    Admins,
}

const CLIENT: [&str; 2] = ["clientKey", "clientKeyHeader"];
const ADMIN: [&str; 2] = ["adminKey", "adminKeyHeader"];

impl Who {
    /// Each of them is enough.
    pub(super) fn requirements(self) -> Vec<SecurityRequirement> {
        let keys: &[&str] = match self {
            Self::Anyone => &[],
            Self::Clients => &CLIENT,
            Self::Admins => &ADMIN,
            Self::Everybody | Self::AnyoneHere => &["clientKey", "clientKeyHeader", "adminKey", "adminKeyHeader"],
        };
        let open = matches!(self, Self::Anyone | Self::AnyoneHere).then(SecurityRequirement::default);
        let with = keys.iter().map(|key| SecurityRequirement::new(*key, [""; 0]));
        open.into_iter().chain(with).collect()
    }

    /// What others are told.
    pub(super) fn refusals(self) -> &'static [Code] {
        match self {
            Self::Anyone => &[],
            Self::AnyoneHere => &[Code::InvalidApiKey],
            Self::Clients | Self::Everybody => &[Code::InvalidApiKey, Code::ShuttingDown],
            Self::Admins => &[Code::InvalidApiKey, Code::AdminRequired, Code::ShuttingDown],
        }
    }
}

/// The keys: two kinds, and two headers for each.
pub(super) fn schemes() -> [(&'static str, SecurityScheme); 4] {
    let bearer = |about: &str| {
        SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(about)).build())
    };
    let header =
        |about: &str| SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description("x-api-key", about)));
    let [client, client_header] = CLIENT;
    let [admin, admin_header] = ADMIN;
    let (of_client, of_admin) =
        ("One of `settings.apiKeys`.", "One of `settings.adminKeys`, or the one that was shown at the first start.");
    [
        (client, bearer(of_client)),
        (client_header, header(of_client)),
        (admin, bearer(of_admin)),
        (admin_header, header(of_admin)),
    ]
}
