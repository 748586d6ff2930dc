//! The bytes of a stream and when each is sent. Only a plan: the server keeps to it, tests read it.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::simulated::{Pace, Simulated};

/// How often OpenRouter says that it is still there.
const HEARTBEAT: Duration = Duration::from_millis(250);
const COMMENT: &[u8] = b": OPENROUTER PROCESSING\n\n";

/// Bytes to send `after` the ones before them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) after: Duration,
    pub(crate) bytes: Bytes,
}

/// The frames of `chunks`: the provider's wait for the first token, then its pace, then `[DONE]`.
pub(crate) fn script(simulated: Simulated, pace: Pace, chunks: &[Value]) -> Vec<Frame> {
    let (mut frames, mut wait) = match simulated {
        Simulated::OpenRouter => heartbeats(pace.first),
        Simulated::Groq | Simulated::Gemini => (Vec::new(), pace.first),
    };
    for chunk in chunks {
        frames.push(Frame { after: wait, bytes: Bytes::from(format!("data: {chunk}\n\n")) });
        wait = pace.each;
    }
    frames.push(Frame { after: Duration::ZERO, bytes: Bytes::from_static(b"data: [DONE]\n\n") });
    frames
}

/// How long the same answer takes when it comes in one piece.
pub(crate) fn duration(pace: Pace, tokens: usize) -> Duration {
    pace.first + pace.each * u32::try_from(tokens).unwrap_or(u32::MAX)
}

/// A comment at once and at every beat of `wait`, and what is left of the wait behind the last one.
fn heartbeats(wait: Duration) -> (Vec<Frame>, Duration) {
    let beat = |after| Frame { after, bytes: Bytes::from_static(COMMENT) };
    let mut frames = vec![beat(Duration::ZERO)];
    let mut left = wait;
    while left > HEARTBEAT {
        frames.push(beat(HEARTBEAT));
        left -= HEARTBEAT;
    }
    (frames, left)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plan(simulated: Simulated) -> Vec<(u128, String)> {
        let frames = script(simulated, simulated.pace(), &[json!(1), json!(2), json!(3)]);
        let text = |frame: &Frame| String::from_utf8(frame.bytes.to_vec()).unwrap().trim_end().to_owned();
        frames.iter().map(|frame| (frame.after.as_millis(), text(frame))).collect()
    }

    #[test]
    fn openrouter_comments_while_it_thinks_and_speaks_after_700_ms() {
        let comment = || ": OPENROUTER PROCESSING".to_owned();
        let expected = [
            (0, comment()),
            (250, comment()),
            (250, comment()),
            (200, "data: 1".to_owned()),
            (25, "data: 2".to_owned()),
            (25, "data: 3".to_owned()),
            (0, "data: [DONE]".to_owned()),
        ];
        assert_eq!(plan(Simulated::OpenRouter), expected);
    }

    #[test]
    fn the_others_send_nothing_but_data() {
        for simulated in [Simulated::Groq, Simulated::Gemini] {
            assert!(plan(simulated).iter().all(|(_, text)| text.starts_with("data: ")));
        }
    }
}
