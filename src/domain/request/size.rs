//! How large a request is, as far as its bytes tell.

use memchr::memmem;
use memchr::{memchr, memchr2};
use serde_json::value::RawValue;

use super::{Fields, Kind};
use crate::domain::demand::Demand;
use crate::domain::endpoint::Endpoint;

/// A file that is shorter may as well be counted as text.
const SMALL: usize = 4_096;

/// The type of a data URL is no longer than this.
const LONGEST_TYPE: usize = 256;

/// What an attachment counts as, in bytes of text. Images cost some hundred to some thousand tokens, whatever their
/// file size.
const ATTACHMENT: u64 = 4_000;

/// Types of the parts of a message that are no text. They may be no more than an address, or the name of an upload.
const FILE_TYPES: [&[u8]; 4] = [b"image_url", b"input_audio", b"file", b"video_url"];

/// More choices than any provider gives.
const MOST_CHOICES: u64 = 128;

impl Fields<'_> {
    /// The size of the request.
    pub(super) fn demand(&self, endpoint: Endpoint, body: &[u8]) -> Demand {
        let generates = endpoint == Endpoint::Chat;
        let most = number(self.max_completion_tokens).or(number(self.max_tokens)).filter(|most| *most > 0);
        let choices = number(self.n).unwrap_or(1).clamp(1, MOST_CHOICES);
        let most_output = most.map(|most| most.saturating_mul(choices)).filter(|_| generates);
        let batch = endpoint == Endpoint::Embeddings && self.input.is_some_and(|input| Kind::of(input) == Kind::List);
        let Measure { prompt_bytes, attachments } = measure(body);
        Demand { prompt_bytes, most_output, generates, batch, attachments }
    }
}

fn number(raw: Option<&RawValue>) -> Option<u64> {
    raw?.get().parse().ok()
}

struct Measure {
    prompt_bytes: u64,
    attachments: bool,
}

/// Bytes of the document as a model sees them. Images, audio and documents stand in it in base64, and what they cost has
/// nothing to do with how long that is; an escaped letter is one letter. Every byte is looked at a few times at most,
/// whatever the document: it comes from outside.
fn measure(body: &[u8]) -> Measure {
    let mut bytes = length(body);
    let mut attachments = false;
    let (mut before, mut rest): (&[u8], &[u8]) = (b"", body);
    while let Some(open) = memchr(b'"', rest) {
        rest = rest.get(open + 1..).unwrap_or_default();
        let (end, spared) = read_string(rest);
        let string = rest.get(..end).unwrap_or_default();
        match is_file(before, string) {
            true => {
                bytes = bytes.saturating_sub(length(string)).saturating_add(ATTACHMENT);
                attachments = true;
            }
            false => {
                bytes = bytes.saturating_sub(spared);
                attachments |= before == b"type" && FILE_TYPES.contains(&string);
            }
        }
        before = string;
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    Measure { prompt_bytes: bytes, attachments }
}

/// Where the string ends that `rest` begins in, and how many bytes less it has when its letters are not escaped.
fn read_string(rest: &[u8]) -> (usize, u64) {
    let (mut at, mut spared) = (0, 0);
    while let Some(found) = rest.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found;
        match rest.get(at..at + 2) {
            Some(br"\u") => {
                spared += 6 - escaped_length(rest.get(at + 2..at + 6).unwrap_or_default());
                at += 6;
            }
            Some([b'\\', _]) => at += 2,
            _ => return (at, spared),
        }
    }
    (rest.len(), spared)
}

/// Bytes in UTF-8 of the letter with this hexadecimal number; for each half of a pair its half.
fn escaped_length(digits: &[u8]) -> u64 {
    let number = std::str::from_utf8(digits).ok().and_then(|digits| u16::from_str_radix(digits, 16).ok());
    match number.unwrap_or_default() {
        0..0x80 => 1,
        0x80..0x800 | 0xd800..0xe000 => 2,
        _ => 3,
    }
}

/// Whether a string is a file: a data URL, or what stands behind `data` and `file_data`. Text may quote such things, but
/// does not go on like a file to its end.
fn is_file(before: &[u8], string: &[u8]) -> bool {
    if string.len() <= SMALL {
        return false;
    }
    let head = string.get(..LONGEST_TYPE).unwrap_or_default();
    let marker = b";base64,";
    let file = match memmem::find(head, marker) {
        Some(at) if string.starts_with(b"data:") => string.get(at + marker.len()..).unwrap_or_default(),
        _ if matches!(before, b"data" | b"file_data") => string,
        _ => return false,
    };
    file.iter().all(|byte| is_base64(*byte))
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
    use crate::domain::demand::Estimate;

    fn size(body: &str) -> Demand {
        Document::parse(Endpoint::Chat, body.as_bytes()).unwrap().demand
    }

    #[test]
    fn a_chat_has_a_prompt_and_perhaps_a_bound_on_its_answer() {
        let chat = |more: &str| format!(r#"{{"model":"m","messages":[{{"role":"user","content":"Hi"}}]{more}}}"#);
        let plain = chat("");
        let expected = Demand { prompt_bytes: plain.len() as u64, generates: true, ..Demand::default() };
        assert_eq!(size(&plain), expected);
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
        assert_eq!((demand.most_output, demand.generates, demand.batch), (None, false, false));
    }

    #[test]
    fn a_list_of_inputs_is_a_batch() {
        let body = br#"{"model":"m","input":["Hi","there"]}"#;
        assert!(Document::parse(Endpoint::Embeddings, body).unwrap().demand.batch);
        assert!(!size(r#"{"model":"m","messages":[{"role":"user","content":"Hi"}],"input":["Hi"]}"#).batch);
    }

    #[test]
    fn attachments_are_noticed_whether_they_are_sent_or_named() {
        let chat = |part: &str| {
            size(&format!(r#"{{"model":"m","messages":[{{"role":"user","content":[{part}]}}]}}"#)).attachments
        };
        let file = "QUJD".repeat(2_000);
        assert!(chat(r#"{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}"#));
        assert!(chat(r#"{"type":"file","file":{"file_id":"file-1"}}"#));
        assert!(chat(&format!(r#"{{"image_url":{{"url":"data:image/png;base64,{file}"}}}}"#)));
        assert!(chat(&format!(r#"{{"input_audio":{{"data": "{file}"}}}}"#)));
        assert!(!chat(r#"{"type":"text","text":"image_url"}"#));
        assert!(!chat(r#"{"type":"text","text":"\"type\":\"file\""}"#));
        assert!(!chat(r#"{"type":"text","file":"type"}"#));
    }

    #[test]
    fn audio_is_found_however_the_document_is_spaced() {
        let audio = "QUJD".repeat(250_000);
        for between in [":", ": ", " :\n\t "] {
            let body = format!(
                r#"{{"model": "m", "messages": [{{"role": "user", "content": [{{"type": "input_audio", "input_audio": {{"data"{between}"{audio}", "format": "wav"}}}}]}}]}}"#
            );
            assert!(size(&body).prompt_bytes < 10_000, "{between:?}: {}", size(&body).prompt_bytes);
        }
    }

    #[test]
    fn a_file_with_escapes_takes_nothing_from_the_text_beside_it() {
        // Some libraries write `+` and `/` so.
        let (file, text) = (r"QUJ\u002BQUJ\/".repeat(5_000), "words ".repeat(2_000));
        let body = format!(
            r#"{{"model":"m","messages":[{{"role":"user","content":[{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{file}"}}}},{{"type":"text","text":"{text}"}}]}}]}}"#
        );
        let bytes = size(&body).prompt_bytes;
        assert!((text.len() as u64 + ATTACHMENT..text.len() as u64 + ATTACHMENT + 300).contains(&bytes), "{bytes}");
    }

    #[test]
    fn an_escaped_letter_counts_as_the_letter() {
        let chat = |text: &str| format!(r#"{{"model":"m","messages":[{{"role":"user","content":"{text}"}}]}}"#);
        for (escaped, plain) in
            [(r"\u0041", "A"), (r"\u0436", "ж"), (r"\u4f60", "你"), (r"\ud83d\ude00", "😀"), (r"\\u4f60", r"\\u4f60")]
        {
            let (escaped, plain) = (chat(&escaped.repeat(3_000)), chat(&plain.repeat(3_000)));
            assert_eq!(size(&escaped).prompt_bytes, size(&plain).prompt_bytes);
            assert_eq!(size(&plain).prompt_bytes, plain.len() as u64);
        }
        // 10,000 Cyrillic letters are some 3,000 to 4,000 tokens.
        let need = Estimate::default().need(size(&chat(&r"\u0436".repeat(10_000))), false);
        assert!(need.least <= 4_000, "{need:?}");
    }
}
