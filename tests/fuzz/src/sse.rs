//! Any event stream reads the same wherever it is cut, and nothing goes to the client that the provider did not send.
//!
//! The first line of an input steers: its first byte holds switches, the others say how long the parts are, over and
//! over until the stream ends; `~` leaves the rest in one piece.

use bytes::Bytes;
use chain429::domain::chunk;
use chain429::domain::sse::{Event, MAX_EVENT, Scanner};
use chain429::domain::stream::{End, Failure, View, Watch};
use chain429::domain::usage::Usage;

use super::steered;

/// Switch: the client has asked for a usage chunk.
const USAGE: u8 = 1;
/// Switch, and what is looked at for it: each byte 0xFF, which no text holds, stands for [`BLOCK`] letters, so that a small
/// input makes an event that is too large to be kept. It takes long, so that few values of the byte mean it.
const SWELL: (u8, u8) = (0b10, 0b0011_1110);
/// Three of them are still kept, four are not; none comes near the limit itself.
const BLOCK: usize = 300_000;
const MOST_BLOCKS: usize = 5;
const MOST_LENGTHS: usize = 16;
const REST: u8 = b'~';
const DONE: &[u8] = b"data: [DONE]\n\n";

/// Reads the stream in one piece and in parts.
pub fn check(bytes: &[u8]) {
    let (steer, wire) = steered(bytes);
    let (switches, lengths) = steer.split_first().map_or((0, steer), |(first, rest)| (*first, rest));
    let mut blocks = if switches & SWELL.1 == SWELL.0 { MOST_BLOCKS } else { 0 };
    let parts: Vec<Bytes> = cut(wire, lengths).into_iter().map(|part| swollen(part, &mut blocks)).collect();
    let wire = Bytes::from(parts.concat());

    let events = scan(std::slice::from_ref(&wire));
    assert_eq!(events, reference(&wire), "the events of the whole");
    check_cut_events(&events, &scan(&parts), &wire);

    let usage = switches & USAGE != 0;
    let dropping = events.iter().any(is_dropped);
    let whole = forward(std::slice::from_ref(&wire), usage, dropping);
    check_bytes(&whole, &events, &wire, usage);
    let in_parts = forward(&parts, usage, dropping);
    assert!(usage || is_within(&in_parts.sent, &wire), "bytes that were never received");
    // Of an event that is too large to be held, parts have gone out before anything is known of it.
    if !in_parts.early {
        check_cut_forwarding(&whole, &in_parts);
    }
}

/// The one place that knows how a watcher is made.
fn watcher(usage: bool) -> Watch {
    Watch::new(View { usage, ..View::PLAIN })
}

/// Usage goes to the end, for whoever has asked; what cannot be read and belongs to no answer goes nowhere.
fn is_dropped(event: &Seen) -> bool {
    if event.named_error || event.oversized || event.data.is_empty() || chunk::is_done(&event.data) {
        return false;
    }
    let read = chunk::read(&event.data);
    read.usage_only || (!read.readable && chunk::is_noise(&event.data))
}

/// Whether an event ends the stream because it says that it failed, or cannot be read.
fn failure(event: &Seen) -> Option<Failure> {
    let data = &event.data;
    if event.oversized || chunk::is_done(data) || (data.is_empty() && !event.named_error) {
        return None;
    }
    let read = chunk::read(data);
    match event.named_error || read.failed {
        true => Some(Failure::Reported(data.clone())),
        false if !read.readable && !chunk::is_noise(data) => Some(Failure::Garbled),
        false => None,
    }
}

fn cut<'a>(wire: &'a [u8], lengths: &[u8]) -> Vec<&'a [u8]> {
    let lengths = &lengths[..lengths.len().min(MOST_LENGTHS)];
    let (mut parts, mut rest) = (Vec::new(), wire);
    // Parts without a byte are fine, but not for ever.
    if lengths.iter().any(|byte| byte % 64 > 0) {
        for byte in lengths.iter().cycle().take_while(|byte| **byte != REST) {
            if rest.is_empty() {
                break;
            }
            let (part, more) = rest.split_at(usize::from(byte % 64).min(rest.len()));
            parts.push(part);
            rest = more;
        }
    }
    parts.push(rest);
    parts
}

fn swollen(part: &[u8], blocks: &mut usize) -> Bytes {
    let mut out = Vec::with_capacity(part.len());
    for byte in part {
        if *byte == 0xff && *blocks > 0 {
            *blocks -= 1;
            out.resize(out.len() + BLOCK, b'x');
        } else {
            out.push(*byte);
        }
    }
    out.into()
}

/// An event with its end in the whole stream. The last one, if nothing closed it, ends with the stream.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    data: Vec<u8>,
    named_error: bool,
    oversized: bool,
    end: usize,
    closed: bool,
}

fn scan(parts: &[Bytes]) -> Vec<Seen> {
    let (mut scanner, mut seen, mut before) = (Scanner::default(), Vec::new(), 0);
    let see = |event: Event<'_>, before: usize, closed: bool| {
        assert!(event.data.len() <= MAX_EVENT + 1 && (event.data.is_empty() || !event.oversized), "kept too much");
        let data = event.data.to_vec();
        Seen { data, named_error: event.named_error, oversized: event.oversized, end: before + event.end, closed }
    };
    for part in parts {
        scanner.feed(part, |event| seen.push(see(event, before, true)));
        before += part.len();
    }
    let open = scanner.mid_event();
    let closed = seen.len();
    scanner.finish(|event| seen.push(see(event, before, false)));
    assert_eq!(seen.len() - closed, usize::from(open), "an open event is reported at the end, and nothing else is");
    seen
}

/// What the standard says, line by line over the whole stream.
fn reference(wire: &[u8]) -> Vec<Seen> {
    let (mut seen, mut at) = (Vec::new(), 0);
    let (mut data, mut any, mut named_error, mut oversized) = (Vec::<&[u8]>::new(), false, false, false);
    loop {
        let rest = &wire[at..];
        let length = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let line = &rest[..length.unwrap_or(rest.len())];
        let bom: &[u8] = if at == 0 { b"\xef\xbb\xbf" } else { b"" };
        at += line.len()
            + match rest.get(line.len()..) {
                Some([b'\r', b'\n', ..]) => 2,
                Some([_, ..]) => 1,
                _ => 0,
            };
        oversized |= line.len() > MAX_EVENT;
        let text = line.strip_prefix(bom).unwrap_or(line);
        let colon = text.iter().position(|byte| *byte == b':');
        let value = colon.map_or(&[][..], |colon| &text[colon + 1..]);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match &text[..colon.unwrap_or(text.len())] {
            b"data" => data.push(value),
            b"event" => named_error = value == b"error",
            _ => {}
        }
        any |= !text.is_empty();
        if (text.is_empty() || length.is_none()) && any {
            let joined = data.join(&b'\n');
            oversized |= joined.len() > MAX_EVENT;
            let joined = if oversized { Vec::new() } else { joined };
            let closed = text.is_empty() && length.is_some();
            seen.push(Seen { data: joined, named_error, oversized, end: at, closed });
        }
        if length.is_none() {
            return seen;
        }
        if text.is_empty() {
            (data, any, named_error, oversized) = (Vec::new(), false, false, false);
        }
    }
}

fn check_cut_events(whole: &[Seen], cut: &[Seen], wire: &[u8]) {
    assert_eq!(cut.len(), whole.len(), "events when cut");
    for (cut, whole) in cut.iter().zip(whole) {
        let told = |seen: &Seen| (seen.named_error, seen.oversized, seen.closed);
        assert!(cut.data == whole.data && told(cut) == told(whole), "{whole:?} became {cut:?}");
        // An LF that is cut off its CR goes with the next event.
        let line_feed = cut.end + 1 == whole.end && wire[..whole.end].ends_with(b"\r\n");
        assert!(cut.end == whole.end || line_feed, "the end at {} became {}", whole.end, cut.end);
    }
}

/// What became of a stream.
#[derive(Debug, Default)]
struct Forwarded {
    sent: Vec<u8>,
    /// What was sent when the provider had closed the stream.
    closing: Vec<u8>,
    failed: Option<Failure>,
    done: bool,
    end: Option<End>,
    committed: bool,
    usage: Option<Usage>,
    /// A part of an event went out before its end had come.
    early: bool,
}

fn forward(parts: &[Bytes], usage: bool, dropping: bool) -> Forwarded {
    let (mut watch, mut all, mut received) = (watcher(usage), Forwarded::default(), 0);
    for part in parts {
        received += part.len();
        let fed = watch.feed(part.clone());
        all.sent.extend_from_slice(&fed.ready);
        (all.failed, all.done) = (fed.failed, fed.done);
        all.early |= watch.mid_event();
        assert_eq!(watch.over(), all.done || all.failed.is_some(), "over without an end");
        if watch.over() {
            break;
        }
        assert!(dropping || received - all.sent.len() <= MAX_EVENT, "{} bytes are held", received - all.sent.len());
    }
    if !watch.over() {
        let (fed, end) = watch.end();
        all.closing.extend_from_slice(&fed.ready);
        (all.failed, all.done) = (fed.failed, fed.done);
        if let Some(End::Complete(closing)) = &end {
            all.closing.extend_from_slice(closing);
        }
        all.end = end;
    }
    let ends = [all.failed.is_some(), all.done, all.end.is_some()];
    assert_eq!(ends.iter().filter(|end| **end).count(), 1, "a stream ends in one way: {ends:?}");
    (all.committed, all.usage) = (watch.committed(), watch.usage().copied());
    all
}

/// What is sent is one whole event of the provider's after the other, and then an ending.
fn check_bytes(all: &Forwarded, events: &[Seen], wire: &[u8], usage: bool) {
    let (mut sent, mut start) = (&all.sent[..], 0);
    let mut ended = false;
    for event in events.iter().filter(|event| event.closed) {
        let bytes = &wire[start..event.end];
        let fails = failure(event);
        ended = fails.is_some() || (!event.oversized && chunk::is_done(&event.data));
        if ended {
            assert_eq!((&all.failed, all.done), (&fails, fails.is_none()), "the end");
        }
        if ended && usage && !sent.starts_with(bytes) {
            sent = without_usage(sent);
        }
        if fails.is_none() && !is_dropped(event) {
            sent = sent.strip_prefix(bytes).expect("an event is missing or changed");
        }
        start = event.end;
        if ended {
            break;
        }
    }
    let open = &wire[start..];
    assert!(sent.is_empty() || (all.early && open.starts_with(sent)), "more was sent than had come");
    let line = [open.trim_ascii_end(), b"\n\n"].concat();
    let endings = [Vec::new(), line.clone(), DONE.to_vec(), [&line, DONE].concat()];
    let closing = if usage { without_usage_before_the_end(&all.closing) } else { all.closing.clone() };
    assert!(endings.contains(&closing), "closed with {:?}", all.closing.escape_ascii().to_string());
    if ended {
        assert!(all.closing.is_empty(), "more after the end");
    }
}

/// What follows the usage chunk that `sent` begins with.
fn without_usage(sent: &[u8]) -> &[u8] {
    let end = sent.windows(2).position(|pair| pair == b"\n\n").map_or(0, |at| at + 2);
    let (event, rest) = sent.split_at(end);
    let data = event.strip_prefix(b"data: ").unwrap_or_default();
    if chunk::read(data).usage_only { rest } else { sent }
}

fn without_usage_before_the_end(closing: &[u8]) -> Vec<u8> {
    let starts = (0..closing.len()).filter(|at| closing[*at..].starts_with(b"data: {"));
    let cut = starts.rev().find(|at| without_usage(&closing[*at..]).len() < closing.len() - at);
    cut.map_or_else(|| closing.to_vec(), |at| [&closing[..at], without_usage(&closing[at..])].concat())
}

/// Line breaks apart, the same bytes are sent and the end is the same; a client reads the same events.
fn check_cut_forwarding(whole: &Forwarded, cut: &Forwarded) {
    let told = |all: &Forwarded| (all.failed.clone(), all.done, all.committed, all.usage);
    assert_eq!(told(cut), told(whole), "cut, and in one piece");
    let truncated = |all: &Forwarded| all.end.as_ref().map(|end| *end == End::Truncated);
    assert_eq!(truncated(cut), truncated(whole), "the end when cut, and in one piece");
    let all = |all: &Forwarded| [&all.sent[..], &all.closing].concat();
    let (cut, whole) = (all(cut), all(whole));
    if cut == whole {
        return;
    }
    // An LF that is cut off its CR may be sent later, or not at all behind the end: blank either way.
    let letters = |sent: &[u8]| sent.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect::<Vec<u8>>();
    assert!(letters(&cut) == letters(&whole), "other bytes are sent when cut");
    // Such an LF may come to lead the stream, where a byte order mark behind it is one no more.
    let read = |sent: &[u8]| {
        let events = scan(&[Bytes::from([b"\n", sent].concat())]);
        events.into_iter().map(|event| (event.data, event.named_error, event.oversized)).collect::<Vec<_>>()
    };
    assert!(read(&cut) == read(&whole), "a client reads other events when cut");
}

/// Whether `part` is `whole` with some bytes left out.
fn is_within(part: &[u8], whole: &[u8]) -> bool {
    let mut rest = whole.iter();
    whole.starts_with(part) || part.iter().all(|byte| rest.any(|other| other == byte))
}
