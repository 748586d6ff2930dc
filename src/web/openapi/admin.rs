//! What `/v1/admin` and `/v1/test` take and give.

use utoipa::openapi::Required;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};

use super::bodies::change;
use super::call::Call;
use super::schemas::Schemas;
use super::security::Who;
use crate::web::admin::config::Present;
use crate::web::admin::versions::{List, Text};
use crate::web::admin::{catalogue, providers, thaw, trial};
use crate::web::error::Code;
use crate::web::reload::Reloaded;

/// All of it.
pub(super) fn all(schemas: &mut Schemas) -> Vec<Call> {
    let mut calls = Vec::from(changes(schemas));
    calls.extend(versions(schemas));
    calls.extend(trials(schemas));
    calls
}

/// A change of the configuration. Why it may not come about is the same for all.
fn changing(schemas: &mut Schemas, call: Call) -> Call {
    call.of(Who::Admins).matches().gives::<Reloaded>(schemas, "200", "It is in the file and in use.").fails(&[
        Code::InvalidRequest,
        Code::NotFound,
        Code::ConfigChanged,
        Code::ConfigReadOnly,
        Code::InUse,
        Code::NoConfigFile,
        Code::InvalidConfig,
        Code::ConfigNotWritten,
    ])
}

fn changes(schemas: &mut Schemas) -> [Call; 8] {
    let members = ObjectBuilder::new;
    let list = |kind| ArrayBuilder::new().items(ObjectBuilder::new().schema_type(kind));
    let provider =
        "The members of a provider, as the file has them. A key that comes back masked, or not at all, stays.";
    let provider = change(schemas, "ProviderChange", provider, members());
    let chain = "The members of a chain, as the file has them. Without `entries` they stay.";
    let chain = change(schemas, "ChainChange", chain, members().property("entries", list(Type::Object)));
    let place = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(100_000));
    let places = ArrayBuilder::new().items(place).min_items(Some(1));
    let order = "The places of all entries as they are now, counted from 0, in their new order.";
    let order = change(schemas, "OrderChange", order, members().property("order", places).required("order"));
    let name = members().property("name", ObjectBuilder::new().schema_type(Type::String)).required("name");
    let default = change(schemas, "DefaultChange", "The name of the chain.", name);
    let settings = "Settings by their names in the file; null makes one the default again.";
    let settings = change(schemas, "SettingsChange", settings, members());
    let nothing = change(schemas, "Deletion", "Nothing but the revision.", members());
    [
        Call::get("/v1/admin/config", "getConfig", "admin", "The configuration file, with each secret masked")
            .of(Who::Admins)
            .gives::<Present>(schemas, "200", "The file as it is now.")
            .fails(&[Code::NoConfigFile, Code::InvalidConfig]),
        changing(
            schemas,
            Call::put("/v1/admin/providers/{id}", "putProvider", "admin", "Change a provider, or add one")
                .names("id", "Id of the provider.")
                .takes(provider, Required::True),
        ),
        changing(
            schemas,
            Call::delete("/v1/admin/providers/{id}", "deleteProvider", "admin", "Delete a provider")
                .about("One that chains use is not deleted, and a chain is not left without an entry.")
                .names("id", "Id of the provider.")
                .asks(&providers::PARAMETERS)
                .takes(nothing.clone(), Required::False),
        ),
        changing(
            schemas,
            Call::put("/v1/admin/chains/{name}", "putChain", "admin", "Change a chain, or add one")
                .names("name", "Name of the chain.")
                .takes(chain, Required::True),
        ),
        changing(
            schemas,
            Call::delete("/v1/admin/chains/{name}", "deleteChain", "admin", "Delete a chain")
                .names("name", "Name of the chain.")
                .takes(nothing, Required::False),
        ),
        changing(
            schemas,
            Call::put(
                "/v1/admin/chains/{name}/order",
                "orderChain",
                "admin",
                "Bring the entries of a chain into order",
            )
            .names("name", "Name of the chain.")
            .takes(order, Required::True),
        ),
        changing(
            schemas,
            Call::put("/v1/admin/default-chain", "putDefaultChain", "admin", "Make a chain the default")
                .takes(default, Required::True),
        ),
        changing(
            schemas,
            Call::patch("/v1/admin/settings", "patchSettings", "admin", "Change settings")
                .takes(settings, Required::True),
        ),
    ]
}

fn versions(schemas: &mut Schemas) -> [Call; 3] {
    let id = ObjectBuilder::new().property("id", ObjectBuilder::new().schema_type(Type::String)).required("id");
    let which = change(schemas, "Restoration", "The id of the version.", id);
    [
        Call::get("/v1/admin/versions", "listVersions", "admin", "Earlier versions of the configuration file")
            .of(Who::Admins)
            .gives::<List>(schemas, "200", "Those that are kept, the newest first.")
            .fails(&[Code::NoConfigFile, Code::NotFound]),
        Call::get("/v1/admin/versions/{id}", "getVersion", "admin", "One of them, with each secret masked")
            .of(Who::Admins)
            .names("id", "Id of the version.")
            .gives::<Text>(schemas, "200", "Its text.")
            .fails(&[Code::NoConfigFile, Code::NotFound, Code::InvalidConfig]),
        changing(
            schemas,
            Call::post("/v1/admin/restore", "restoreVersion", "admin", "Use an earlier version again")
                .takes(which, Required::True),
        ),
    ]
}

fn trials(schemas: &mut Schemas) -> [Call; 4] {
    let (whose, how) = (schemas.sent::<thaw::Request>(), schemas.sent::<trial::Request>());
    [
        Call::post("/v1/admin/entries/thaw", "thaw", "admin", "End cooldowns by hand")
            .about("Limits that are used up stay used up.")
            .of(Who::Admins)
            .takes(whose, Required::True)
            .gives::<thaw::Answer<'_>>(schemas, "200", "What has ended, and how the entries stand now.")
            .fails(&[Code::NotFound]),
        Call::post("/v1/admin/providers/{id}/test", "testProvider", "admin", "Whether a provider works")
            .about("Asks for its list of models, and for one token of one of them. That call counts as any other.")
            .of(Who::Admins)
            .names("id", "Id of the provider.")
            .takes(how, Required::False)
            .gives::<trial::Answer>(schemas, "200", "What both came to.")
            .fails(&[Code::NotFound, Code::ModelNotFound]),
        Call::get("/v1/admin/providers/{id}/models", "listProviderModels", "admin", "What a provider says that it has")
            .of(Who::Admins)
            .names("id", "Id of the provider.")
            .asks(&catalogue::PARAMETERS)
            .gives::<catalogue::Answer>(schemas, "200", "Its models, and how old that list is.")
            .fails(&[Code::NotFound]),
        Call::post("/v1/test/chain/{name}", "testChain", "admin", "Whether the entries of a chain work")
            .about("Asks each for one token, one after the other. What cools down or is used up is not called.")
            .of(Who::Admins)
            .names("name", "Name of the chain.")
            .gives::<trial::ChainAnswer>(schemas, "200", "What every entry came to.")
            .fails(&[Code::NotFound]),
    ]
}
