//! What a provider does on a connection, one step after the other.

use crate::ask::Ask;

/// One step.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Sends these bytes.
    Send(&'static str),
    /// A whole answer: status, further header lines, body.
    Answer(u16, &'static str, &'static str),
    /// A good answer to what was asked, not as a stream.
    Good,
    /// The same and, in one breath, an answer that nobody asked for.
    GoodAndMore,
    /// A good answer with this many kilobytes of text.
    GoodLarge(usize),
    /// The same in many parts with as many milliseconds between them.
    GoodSlowly(u64),
    /// Its head.
    GoodHead,
    /// Its head and half of its body.
    GoodHalf,
    /// The same in chunks.
    GoodHalfChunked,
    /// Half of the document, announced as if that were all.
    GoodHalfDocument,
    /// The head of a stream.
    Open,
    /// An event with some content.
    Say,
    /// So many events with a kilobyte of content each.
    Bulk(usize),
    /// An event with so many kilobytes of content.
    Huge(usize),
    /// The beginning of such an event.
    HugeStart(usize),
    /// These bytes in a chunk of the stream.
    Event(&'static str),
    /// So many comments with as many milliseconds between them.
    Comments(u64, u64),
    /// The event with the finish reason, and the one with the usage where that was asked for.
    Stop,
    /// `[DONE]`
    Done,
    /// The end of the chunks.
    End,
    /// Says nothing for so many milliseconds.
    Wait(u64),
    /// Says nothing more, and stays.
    Hang,
    /// Closes.
    Close,
    /// Closes the hard way.
    Reset,
}

const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

/// The mark of an answer that nobody asked for.
const STRAY: &str = "nonce-nobody-wanted-it";

const STOP: &str = "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";

const USAGE: &str = "data: {\"id\":\"c\",\"choices\":[],\
                     \"usage\":{\"prompt_tokens\":12,\"completion_tokens\":3,\"total_tokens\":15}}\n\n";

impl Step {
    /// What is sent in this step, in parts; nothing in those that only take time or close.
    pub(crate) fn parts(self, ask: &Ask) -> Vec<Vec<u8>> {
        let document = || good(ask, 0);
        let one = |text: String| vec![text.into_bytes()];
        match self {
            Self::Send(text) => one(text.to_owned()),
            Self::Answer(status, lines, body) => one(head(status, lines, body.len()) + body),
            Self::Good => one(whole(&document())),
            Self::GoodAndMore => {
                let stray = Ask { nonce: STRAY.to_owned(), ..ask.clone() };
                one(whole(&document()) + &whole(&good(&stray, 0)))
            }
            Self::GoodLarge(kilobytes) => one(whole(&good(ask, kilobytes))),
            Self::GoodSlowly(_) => whole(&document()).as_bytes().chunks(24).map(<[u8]>::to_vec).collect(),
            Self::GoodHead => one(head(200, "", document().len())),
            Self::GoodHalf => one(head(200, "", document().len()) + half(&document())),
            Self::GoodHalfChunked => {
                let lines = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
                one(lines.to_owned() + &chunk(half(&document())))
            }
            Self::GoodHalfDocument => one(whole(half(&document()))),
            Self::Open => one(STREAM.to_owned()),
            Self::Say => one(chunk(&delta(&ask.nonce, 0))),
            Self::Bulk(events) => (0..events).map(|_| chunk(&delta(&ask.nonce, 1)).into_bytes()).collect(),
            Self::Huge(kilobytes) => one(chunk(&delta(&ask.nonce, kilobytes))),
            Self::HugeStart(kilobytes) => one(chunk(delta(&ask.nonce, kilobytes).trim_end())),
            Self::Event(text) => one(chunk(text)),
            Self::Comments(count, _) => (0..count).map(|_| chunk(": still here\n\n").into_bytes()).collect(),
            Self::Stop => one(chunk(STOP) + &if ask.wants_usage { chunk(USAGE) } else { String::new() }),
            Self::Done => one(chunk("data: [DONE]\n\n")),
            Self::End => one("0\r\n\r\n".to_owned()),
            Self::Wait(_) | Self::Hang | Self::Close | Self::Reset => Vec::new(),
        }
    }

    /// Milliseconds between the parts, or of a wait.
    pub(crate) fn pause(self) -> u64 {
        match self {
            Self::GoodSlowly(pause) | Self::Comments(_, pause) | Self::Wait(pause) => pause,
            _ => 0,
        }
    }
}

fn good(ask: &Ask, kilobytes: usize) -> String {
    let text = ask.nonce.clone() + &filler(kilobytes);
    if ask.embeddings {
        return format!(
            r#"{{"object":"list","data":[{{"object":"embedding","index":0,"embedding":[0.25,-0.5,0.125]}}],"model":"{text}","usage":{{"prompt_tokens":9,"total_tokens":9}}}}"#
        );
    }
    format!(
        r#"{{"id":"chatcmpl-1","object":"chat.completion","created":1795521600,"model":"m","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":12,"completion_tokens":3,"total_tokens":15}}}}"#
    )
}

fn delta(nonce: &str, kilobytes: usize) -> String {
    let text = filler(kilobytes);
    format!(
        "data: {{\"id\":\"c\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{nonce} {text}\"}},\"finish_reason\":null}}]}}\n\n"
    )
}

fn filler(kilobytes: usize) -> String {
    "The quick brown fox jumps over the lazy dog, again. And again. ".repeat(16 * kilobytes)
}

fn whole(body: &str) -> String {
    head(200, "", body.len()) + body
}

fn head(status: u16, lines: &str, length: usize) -> String {
    let kind = if lines.contains("content-type") { "" } else { "content-type: application/json\r\n" };
    format!("HTTP/1.1 {status} X\r\n{kind}{lines}content-length: {length}\r\n\r\n")
}

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

fn half(text: &str) -> &str {
    text.get(..text.len() / 2).unwrap_or_default()
}
