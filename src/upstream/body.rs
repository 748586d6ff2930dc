//! Reading a whole answer into memory, within bounds.

use awc::ClientResponse;
use awc::http::header::CONTENT_LENGTH;
use bytes::{Bytes, BytesMut};
use tokio_stream::StreamExt;

use super::error::CallError;

/// Reads the body of `response`, of at most `cap` bytes.
///
/// awc takes a cut body for a complete one, so the length is compared with what the provider announced.
///
/// # Errors
/// When the body is cut off or larger than `cap`.
pub async fn collect(response: &mut ClientResponse, cap: usize) -> Result<Bytes, CallError> {
    let announced = announced_length(response);
    if announced.is_some_and(|length| length > cap) {
        return Err(CallError::TooLarge(cap));
    }
    let body = join(response, cap).await?;
    match announced {
        Some(length) if length != body.len() => {
            Err(CallError::Cut(format!("{} of {length} bytes arrived", body.len())))
        }
        _ => Ok(body),
    }
}

/// The usual answer comes in one piece and is not copied.
async fn join(response: &mut ClientResponse, cap: usize) -> Result<Bytes, CallError> {
    let Some(first) = response.next().await.transpose()? else { return Ok(Bytes::new()) };
    let Some(second) = response.next().await.transpose()? else { return Ok(first) };
    let mut whole = BytesMut::from(first);
    whole.extend_from_slice(&second);
    while let Some(chunk) = response.next().await.transpose()? {
        if whole.len() + chunk.len() > cap {
            return Err(CallError::TooLarge(cap));
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.freeze())
}

fn announced_length(response: &ClientResponse) -> Option<usize> {
    response.headers().get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}
