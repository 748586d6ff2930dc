//! How large a request is, as far as its bytes tell.

use std::sync::LazyLock;

use memchr::memchr;
use memchr::memmem::Finder;
use serde_json::value::RawValue;

use super::Fields;
use crate::domain::demand::Demand;
use crate::domain::endpoint::Endpoint;

/// Shorter documents hold no attachment worth looking for.
const SMALL: usize = 4_096;

/// What an attachment counts as, in bytes of text. Images cost some hundred to some thousand tokens, whatever their
/// file size.
const ATTACHMENT: u64 = 4_000;

/// More choices than any provider gives.
const MOST_CHOICES: u64 = 128;

impl Fields<'_> {
    /// The size of the request.
    pub(super) fn demand(&self, endpoint: Endpoint, body: &[u8]) -> Demand {
        let generates = endpoint == Endpoint::Chat;
        let most = number(self.max_completion_tokens).or(number(self.max_tokens)).filter(|most| *most > 0);
        let choices = number(self.n).unwrap_or(1).clamp(1, MOST_CHOICES);
        let most_output = most.map(|most| most.saturating_mul(choices)).filter(|_| generates);
        Demand { prompt_bytes: text_bytes(body), most_output, generates }
    }
}

fn number(raw: Option<&RawValue>) -> Option<u64> {
    raw?.get().parse().ok()
}

/// Bytes of the document without the files in it: images, audio and documents stand in it in base64, and what they cost
/// has nothing to do with how long that is.
fn text_bytes(body: &[u8]) -> u64 {
    static DATA_URL: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b";base64,"));
    static AUDIO: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(br#""data":""#));
    let whole = length(body);
    if body.len() < SMALL {
        return whole;
    }
    let mut left = whole;
    for marker in [&*DATA_URL, &*AUDIO] {
        for at in marker.find_iter(body) {
            let rest = body.get(at + marker.needle().len()..).unwrap_or_default();
            let file = rest.get(..memchr(b'"', rest).unwrap_or(rest.len())).unwrap_or_default();
            // Text that quotes a marker goes on with something else than a file.
            if file.len() > SMALL && file.iter().all(|byte| is_base64(*byte)) {
                left = left.saturating_sub(length(file)).saturating_add(ATTACHMENT);
            }
        }
    }
    left
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_' | b'\\')
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::Document;
    use super::*;

    fn size(body: &str) -> Demand {
        Document::parse(Endpoint::Chat, body.as_bytes()).unwrap().demand
    }

    #[test]
    fn a_chat_has_a_prompt_and_perhaps_a_bound_on_its_answer() {
        let chat = |more: &str| format!(r#"{{"model":"m","messages":[{{"role":"user","content":"Hi"}}]{more}}}"#);
        let plain = chat("");
        assert_eq!(size(&plain), Demand { prompt_bytes: plain.len() as u64, most_output: None, generates: true });
        for (more, most) in [
            (r#","max_tokens":50"#, Some(50)),
            (r#","max_tokens":50,"max_completion_tokens":70"#, Some(70)),
            (r#","max_tokens":50,"n":3"#, Some(150)),
            (r#","max_tokens":0"#, None),
            (r#","max_tokens":null"#, None),
            (r#","max_tokens":1.5"#, None),
            (r#","max_tokens":99999999999999999999"#, None),
            (r#","max_tokens":5,"n":1000000"#, Some(640)),
        ] {
            assert_eq!(size(&chat(more)).most_output, most, "{more}");
        }
    }

    #[test]
    fn files_are_not_counted_by_their_bytes() {
        let image = "QUJD".repeat(50_000);
        let body = format!(
            r#"{{"model":"m","messages":[{{"role":"user","content":[{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{image}"}}}},{{"type":"input_audio","input_audio":{{"data":"{image}","format":"wav"}}}}]}}]}}"#
        );
        assert!(size(&body).prompt_bytes < 10_000);
        let text = format!(
            r#"{{"model":"m","messages":[{{"role":"user","content":"see ;base64,{}"}}]}}"#,
            "a b ".repeat(2_000)
        );
        assert!(size(&text).prompt_bytes > 8_000, "words are words");
    }

    #[test]
    fn an_embedding_has_no_answer_in_tokens() {
        let body = br#"{"model":"m","input":"Hi","max_tokens":5}"#;
        let demand = Document::parse(Endpoint::Embeddings, body).unwrap().demand;
        assert_eq!((demand.most_output, demand.generates), (None, false));
    }
}
