//! News of a page, as server-sent events: whatever has changed, twice a second at most.
//!
//! One task makes the news for everybody who looks, on the thread of whoever came first, and ends with the last of them.
//! A part is sent where it differs from what was sent before; who comes anew gets all of them.

mod hub;
pub(super) mod stage;
pub(super) mod view;

use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

pub(super) use self::hub::Live;
use self::view::View;
use super::door::Caller;
use super::fault::Fault;
use super::shell::{live_on, state, worker};
use super::sse;
use crate::web::error::ApiError;

/// `GET /ui/live`
pub(super) async fn stream(request: HttpRequest) -> HttpResponse {
    let (Some(worker), Some(state)) = (worker(&request), state(&request)) else {
        return Fault::from(&ApiError::ShuttingDown).page(&request);
    };
    let Some(caller) = request.extensions().get::<Caller>().cloned() else {
        return Fault::of(401, "Log in first", "").page(&request);
    };
    let mut view = match View::of(request.query_string()) {
        Ok(view) => view,
        Err(fault) => return Fault::from(&fault).page(&request),
    };
    // Who comes back knows more than its page did when it was made.
    let last = request.headers().get("last-event-id").and_then(|id| id.to_str().ok());
    if let Some(last) = last.filter(|last| last.starts_with("req_")) {
        view.after = Some(last.to_owned());
    }
    let news = state.ui.live.join(view, caller.session, worker, state);
    let mut builder = sse::stream();
    live_on(&request, &mut builder);
    builder.streaming(ReceiverStream::new(news).map(Ok::<_, std::convert::Infallible>))
}
