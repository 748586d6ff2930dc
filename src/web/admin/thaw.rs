//! `POST /v1/admin/entries/thaw`: ends cooldowns by hand. Limits that are used up stay used up.

use std::rc::Rc;
use std::sync::Arc;

use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::read;
use crate::actors::msg::{Frozen, Thaw};
use crate::actors::report::Ended;
use crate::domain::cooldown::Deadline;
use crate::domain::ids::EntryId;
use crate::domain::outcome::Reason;
use crate::domain::time::Now;
use crate::upstream::waterfall::Worker;
use crate::web::error::ApiError;
use crate::web::ratelimits::entries::{EntryView, owner_name, view};
use crate::web::state::State;

/// Whose cooldowns are to end: one of the two.
#[derive(Deserialize, ToSchema)]
#[schema(as = ThawRequest)]
#[serde(deny_unknown_fields)]
pub(in crate::web) struct Request {
    /// `provider/model`
    entry: Option<String>,
    /// All entries of this provider.
    provider: Option<String>,
}

/// What has ended, and how things stand now.
#[derive(Serialize, ToSchema)]
#[schema(as = Thawed)]
pub(in crate::web) struct Answer<'a> {
    /// Empty when nothing was cooling down.
    ended: Vec<EndedView>,
    entries: Vec<EntryView<'a>>,
}

/// A cooldown that was ended.
#[derive(Serialize, ToSchema)]
#[schema(as = EndedCooldown)]
#[serde(rename_all = "camelCase")]
struct EndedView {
    /// `provider/model`; what it shared with others has ended for them, too.
    #[schema(value_type = String)]
    entry: EntryId,
    /// Which of the provider's keys, counted from 1.
    key: usize,
    /// Whose it was: the entry's, the key's, the provider's, or that of a shared counter.
    #[schema(value_type = String)]
    target: &'static str,
    reason: Reason,
    status: u16,
    /// When it would have ended by itself; null when it would not.
    #[schema(format = DateTime)]
    until: Option<String>,
}

impl EndedView {
    fn of(ended: Ended, now: Now) -> Self {
        let Ended { entry, key, owner, cooldown } = ended;
        let until = match cooldown.until {
            Deadline::At(end) => Some(now.wall_at(end).to_string()),
            Deadline::Never => None,
        };
        let (reason, status) = (cooldown.reason, cooldown.status);
        Self { entry, key: key + 1, target: owner_name(owner), reason, status, until }
    }
}

/// Ends the cooldowns of an entry or of a provider.
pub async fn thaw(request: HttpRequest, mut payload: Payload) -> HttpResponse {
    let (Some(worker), Some(state)) = (request.app_data::<Rc<Worker>>(), request.app_data::<Arc<State>>()) else {
        return ApiError::ShuttingDown.response();
    };
    let frozen = match read(request.headers(), &mut payload, r#"{"entry":"provider/model"}"#).await.and_then(whose) {
        Ok(frozen) => frozen,
        Err(fault) => return fault.response(),
    };
    let lately = state.lately.get(&state.shelf, worker.clock.now().wall).await;
    match worker.keeper.send(Thaw(frozen.clone())).await {
        Ok(Some(thawed)) => {
            let now = worker.clock.now();
            let entries = thawed.entries.iter().map(|report| view(report, &lately, now)).collect();
            let ended = thawed.ended.into_iter().map(|ended| EndedView::of(ended, now)).collect();
            HttpResponse::Ok().json(Answer { ended, entries })
        }
        Ok(None) => {
            let message = match frozen {
                Frozen::Entry(name) => format!("There is no entry `{name}`. GET /v1/ratelimits lists them."),
                Frozen::Provider(name) => {
                    format!("No chain uses a provider `{name}`. GET /v1/ratelimits lists the entries there are.")
                }
            };
            ApiError::Unknown(message).response()
        }
        Err(_) => ApiError::ShuttingDown.response(),
    }
}

fn whose(request: Request) -> Result<Frozen, ApiError> {
    match (request.entry, request.provider) {
        (Some(entry), None) => Ok(Frozen::Entry(entry)),
        (None, Some(provider)) => Ok(Frozen::Provider(provider)),
        _ => {
            let message = "name either an `entry` as `provider/model`, or a `provider`".to_owned();
            Err(ApiError::Query { param: "entry", message })
        }
    }
}
