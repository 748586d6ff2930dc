//! Reading a request body: not more than allowed, and not for ever.

use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap};
use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_stream::StreamExt;

use super::error::ApiError;

/// How much of a body that is too large is read and thrown away: a client that is still writing would otherwise see a
/// broken connection in place of the answer that tells it why.
const DISCARD: usize = 64 << 20;

/// Room that is taken on the word of a client that has sent a part of a body.
const ON_TRUST: usize = 1 << 20;

/// How long a client may take for its body.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// Between two parts.
    pause: Duration,
    /// For the whole of it.
    whole: Duration,
    /// For what is thrown away of a body that is too large.
    discard: Duration,
}

const PATIENCE: Patience =
    Patience { pause: Duration::from_secs(30), whole: Duration::from_secs(300), discard: Duration::from_secs(5) };

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// When it is larger, does not arrive, or arrives too slowly.
pub async fn body<S>(headers: &HeaderMap, payload: &mut S, limit: usize) -> Result<Bytes, ApiError>
where
    S: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
{
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    Reader { payload, patience: PATIENCE, last_call: Instant::now() + PATIENCE.whole }.read(announced, limit).await
}

struct Reader<'a, S> {
    payload: &'a mut S,
    patience: Patience,
    last_call: Instant,
}

impl<S: Stream<Item = Result<Bytes, PayloadError>> + Unpin> Reader<'_, S> {
    async fn read(mut self, announced: Option<usize>, limit: usize) -> Result<Bytes, ApiError> {
        if announced.is_some_and(|length| length > limit) {
            self.discard().await;
            return Err(ApiError::TooLarge { limit });
        }
        let Some(first) = self.part(0).await? else { return Ok(Bytes::new()) };
        if announced == Some(first.len()) {
            // The end is there already. Left unread, it would wake the connection once more.
            self.part(first.len()).await?;
            return Ok(first);
        }
        let mut whole = BytesMut::with_capacity(announced.unwrap_or(first.len()).min(limit).min(ON_TRUST));
        let mut next = Some(first);
        while let Some(chunk) = next {
            if whole.len() + chunk.len() > limit {
                self.discard().await;
                return Err(ApiError::TooLarge { limit });
            }
            whole.extend_from_slice(&chunk);
            next = self.part(whole.len()).await?;
        }
        Ok(whole.freeze())
    }

    /// The next part. `so_far` have arrived before it.
    async fn part(&mut self, so_far: usize) -> Result<Option<Bytes>, ApiError> {
        let Patience { pause, whole, .. } = self.patience;
        let patient_until = Instant::now() + pause;
        match timeout_at(self.last_call.min(patient_until), self.payload.next()).await {
            Ok(part) => part.transpose().map_err(|fault| ApiError::Unreadable(broken(&fault, so_far))),
            Err(_) if patient_until < self.last_call => Err(ApiError::Unreadable(format!(
                "nothing more of the body came for {pause:?} after {so_far} bytes; send it without a pause"
            ))),
            Err(_) => Err(ApiError::Unreadable(format!(
                "the body was not complete after {whole:?}: {so_far} bytes had arrived; send less, or faster"
            ))),
        }
    }

    async fn discard(&mut self) {
        let read_on = async {
            let mut left = DISCARD;
            while let Some(Ok(chunk)) = self.payload.next().await {
                left = left.saturating_sub(chunk.len());
                if left == 0 {
                    return;
                }
            }
        };
        let _ = timeout(self.patience.discard, read_on).await;
    }
}

fn broken(fault: &PayloadError, so_far: usize) -> String {
    match fault {
        PayloadError::Incomplete(_) | PayloadError::EncodingCorrupted => format!(
            "the body broke off after {so_far} bytes: the connection ended, or a chunk is not as Transfer-Encoding \
             has it"
        ),
        other => format!("the body did not arrive: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use super::*;

    const HASTE: Patience = Patience {
        pause: Duration::from_millis(30),
        whole: Duration::from_secs(600),
        discard: Duration::from_millis(30),
    };

    /// A body of these parts, and then nothing more, nor an end.
    fn stalling(parts: &[&'static str]) -> impl Stream<Item = Result<Bytes, PayloadError>> + Unpin {
        let parts: Vec<_> = parts.iter().map(|part| Ok(Bytes::from_static(part.as_bytes()))).collect();
        tokio_stream::iter(parts).chain(Never)
    }

    struct Never;

    impl Stream for Never {
        type Item = Result<Bytes, PayloadError>;

        fn poll_next(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> Poll<Option<Self::Item>> {
            Poll::Pending
        }
    }

    async fn refusal(parts: &[&'static str], announced: Option<usize>, patience: Patience) -> (u16, String) {
        let mut payload = stalling(parts);
        let reader = Reader { payload: &mut payload, patience, last_call: Instant::now() + patience.whole };
        let fault = reader.read(announced, 100).await.unwrap_err();
        (fault.status().as_u16(), fault.to_string())
    }

    #[actix_rt::test]
    async fn a_body_that_stalls_is_refused() {
        for (parts, announced, so_far) in
            [(&[][..], Some(50), 0), (&["{"], Some(50), 1), (&["{", "}"], None, 2), (&["{}"], Some(2), 2)]
        {
            let (status, message) = refusal(parts, announced, HASTE).await;
            let expected = format!("nothing more of the body came for 30ms after {so_far} bytes");
            assert!(status == 400 && message.contains(&expected), "{status} {message}");
        }
    }

    #[actix_rt::test]
    async fn a_body_that_never_ends_is_refused() {
        let dripping = tokio_stream::iter(0..).then(|_| async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok(Bytes::from_static(b" "))
        });
        tokio::pin!(dripping);
        let patience = Patience { pause: Duration::from_secs(600), whole: Duration::from_millis(50), ..HASTE };
        let reader = Reader { payload: &mut dripping, patience, last_call: Instant::now() + patience.whole };
        let fault = reader.read(None, 1_000_000).await.unwrap_err().to_string();
        assert!(fault.contains("not complete after 50ms"), "{fault}");
    }

    #[actix_rt::test]
    async fn a_body_that_is_too_large_is_refused_even_when_it_never_comes() {
        for (parts, announced) in [(&[][..], Some(101)), (&["0123456789"; 11], None)] {
            let (status, message) = refusal(parts, announced, HASTE).await;
            assert!(status == 413 && message.contains("larger than 100 bytes"), "{status} {message}");
        }
    }

    #[actix_rt::test]
    async fn a_body_that_breaks_off_is_told_apart_from_one_that_stalls() {
        let parts = [Ok(Bytes::from_static(b"{")), Err(PayloadError::Incomplete(None))];
        let mut payload = tokio_stream::iter(parts);
        let fault = body(&HeaderMap::new(), &mut payload, 100).await.unwrap_err();
        assert!(fault.to_string().contains("broke off after 1 bytes"), "{fault}");
    }

    #[actix_rt::test]
    async fn what_a_client_announces_takes_no_room() {
        let parts = [Ok(Bytes::from_static(b"{")), Ok(Bytes::from_static(b"}"))];
        let mut payload = tokio_stream::iter(parts);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, "30000000".parse().unwrap());
        let read = body(&headers, &mut payload, 32 << 20).await.unwrap();
        assert_eq!(read, "{}");
        assert!(read.try_into_mut().unwrap().capacity() <= ON_TRUST);
    }
}
