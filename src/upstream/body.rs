//! Reading a whole answer into memory, within bounds.

use awc::ClientResponse;
use awc::http::header::CONTENT_LENGTH;
use bytes::{Bytes, BytesMut};
use tokio_stream::StreamExt;

use super::error::CallError;

/// Reads the body of `response`, of at most `cap` bytes. `begun` has been read of it already.
///
/// awc takes a cut body for a complete one, so the length is compared with what the provider announced.
///
/// # Errors
/// When the body is cut off or larger than `cap`.
pub async fn collect(response: &mut ClientResponse, begun: Option<Bytes>, cap: usize) -> Result<Bytes, CallError> {
    let announced = announced_length(response);
    if announced.is_some_and(|length| length > cap) {
        return Err(CallError::TooLarge(cap));
    }
    let body = join(response, begun, cap).await?;
    match announced {
        Some(length) if length != body.len() => {
            Err(CallError::Cut(format!("{} of {length} bytes arrived", body.len())))
        }
        _ => Ok(body),
    }
}

/// The next piece of a body.
///
/// # Errors
/// When it breaks off.
pub async fn next(response: &mut ClientResponse) -> Result<Option<Bytes>, CallError> {
    Ok(response.next().await.transpose()?)
}

/// The usual answer comes in one piece and is not copied.
async fn join(response: &mut ClientResponse, begun: Option<Bytes>, cap: usize) -> Result<Bytes, CallError> {
    let first = match begun {
        Some(first) => first,
        None => match next(response).await? {
            Some(first) => first,
            None => return Ok(Bytes::new()),
        },
    };
    let Some(second) = next(response).await? else { return Ok(first) };
    let mut whole = BytesMut::from(first);
    let mut more = Some(second);
    while let Some(chunk) = more {
        if whole.len() + chunk.len() > cap {
            return Err(CallError::TooLarge(cap));
        }
        whole.extend_from_slice(&chunk);
        more = next(response).await?;
    }
    Ok(whole.freeze())
}

fn announced_length(response: &ClientResponse) -> Option<usize> {
    response.headers().get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}
