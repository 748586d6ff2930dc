//! Reading a request body: not more than allowed, and not for ever.

use std::time::Duration;

use actix_web::http::header::{CONTENT_LENGTH, HeaderMap};
use actix_web::web::Payload;
use bytes::{Bytes, BytesMut};
use tokio::time::{Instant, timeout_at};
use tokio_stream::StreamExt;

use super::error::ApiError;

/// The longest pause between two parts of a body.
const PAUSE: Duration = Duration::from_secs(30);

/// The longest time for a whole body.
const WHOLE: Duration = Duration::from_secs(300);

/// How much of a body that is too large is read and thrown away: a client that is still writing would otherwise see a
/// broken connection in place of the answer that tells it why.
const DISCARD: usize = 64 << 20;

/// How long that may take.
const DISCARD_FOR: Duration = Duration::from_secs(5);

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// When it is larger, does not arrive, or arrives too slowly.
pub async fn body(headers: &HeaderMap, payload: &mut Payload, limit: usize) -> Result<Bytes, ApiError> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        discard(payload).await;
        return Err(ApiError::TooLarge { limit });
    }
    let last_call = Instant::now() + WHOLE;
    let Some(first) = part(payload, last_call).await? else { return Ok(Bytes::new()) };
    if announced == Some(first.len()) {
        // The end is there already. Left unread, it would wake the connection once more.
        part(payload, last_call).await?;
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(announced.unwrap_or(first.len()).min(limit));
    let mut next = Some(first);
    while let Some(chunk) = next {
        if whole.len() + chunk.len() > limit {
            discard(payload).await;
            return Err(ApiError::TooLarge { limit });
        }
        whole.extend_from_slice(&chunk);
        next = part(payload, last_call).await?;
    }
    Ok(whole.freeze())
}

async fn part(payload: &mut Payload, last_call: Instant) -> Result<Option<Bytes>, ApiError> {
    let deadline = last_call.min(Instant::now() + PAUSE);
    match timeout_at(deadline, payload.next()).await {
        Ok(part) => part.transpose().map_err(|fault| ApiError::Unreadable(format!("the body did not arrive: {fault}"))),
        Err(_) => Err(ApiError::Unreadable("the body did not arrive in time".into())),
    }
}

async fn discard(payload: &mut Payload) {
    let read_on = async {
        let mut left = DISCARD;
        while let Some(Ok(chunk)) = payload.next().await {
            left = left.saturating_sub(chunk.len());
            if left == 0 {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(DISCARD_FOR, read_on).await;
}
