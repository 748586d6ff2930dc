use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    data: String,
    named_error: bool,
    /// Offset in the whole stream.
    end: usize,
}

fn scan(parts: &[&[u8]]) -> Vec<Seen> {
    let mut scanner = Scanner::default();
    let mut seen = Vec::new();
    let mut before = 0;
    for part in parts {
        scanner.feed(part, |event| {
            seen.push(Seen {
                data: String::from_utf8_lossy(event.data).into_owned(),
                named_error: event.named_error,
                end: before + event.end,
            });
        });
        before += part.len();
    }
    let length = before;
    scanner.finish(|event| {
        seen.push(Seen {
            data: String::from_utf8_lossy(event.data).into_owned(),
            named_error: event.named_error,
            end: length,
        });
    });
    seen
}

fn data(wire: &str) -> Vec<String> {
    scan(&[wire.as_bytes()]).into_iter().map(|seen| seen.data).collect()
}

/// LESSONS O18 and F14: CRLF gave no events, `data:` without a space was dropped, so was a comment with data behind it,
/// and so was a last line without an end.
#[test]
fn o18_f14_line_ends_missing_space_comments_and_an_open_last_line() {
    assert_eq!(data("data: a\n\ndata: b\n\n"), ["a", "b"]);
    assert_eq!(data("data: a\r\n\r\ndata: b\r\n\r\n"), ["a", "b"]);
    assert_eq!(data("data: a\r\rdata: b\r\r"), ["a", "b"]);
    assert_eq!(data("data:a\n\n"), ["a"]);
    assert_eq!(data(": hello\ndata: a\n\n"), ["a"]);
    assert_eq!(data("data: a\n\ndata: [DONE]"), ["a", "[DONE]"]);
}

#[test]
fn several_data_lines_join_and_other_fields_carry_none() {
    assert_eq!(data("id: 7\nretry: 3\ndata: a\ndata: b\n\n"), ["a\nb"]);
    assert_eq!(data("\u{feff}data: a\n\n"), ["a"]);
    assert_eq!(data(": keep-alive\n\n\n\n"), [""]);
    assert_eq!(data("database: x\n\n"), [""]);
}

#[test]
fn an_error_event_is_known_by_name() {
    let seen = scan(&[b"event: error\ndata: {}\n\ndata: x\n\n"]);
    assert!(seen[0].named_error && !seen[1].named_error);
}

#[test]
fn an_oversized_event_is_reported_without_data_and_does_not_grow_the_scanner() {
    let mut scanner = Scanner::default();
    let mut events = Vec::new();
    scanner.feed(b"data: ", |_| ());
    for _ in 0..64 {
        scanner.feed(&vec![b'x'; 65_536], |_| ());
    }
    scanner.feed(b"\n\ndata: ok\n\n", |event| events.push((event.oversized, event.data.to_vec(), event.end)));
    assert_eq!(events, [(true, Vec::new(), 2), (false, b"ok".to_vec(), 12)]);
    assert!(scanner.line.capacity() <= 2 * MAX_EVENT + 65_536);
}

/// In one piece such a line was read past, in parts it made its event oversized; left open it made no event at all.
#[test]
fn a_line_too_long_to_keep_is_judged_alike_whole_cut_and_left_open() {
    let long = [b": ".as_slice(), &vec![b'x'; MAX_EVENT + 100], b"\n"].concat();
    let closed = [&long, b"data: a\n\ndata: b\n\n".as_slice()].concat();
    let open = &long[..long.len() - 1];
    for (wire, oversized) in [(closed.as_slice(), vec![true, false]), (&long, vec![true]), (open, vec![true])] {
        for size in [wire.len(), MAX_EVENT / 2, 1_000] {
            let (mut scanner, mut seen) = (Scanner::default(), Vec::new());
            for part in wire.chunks(size) {
                scanner.feed(part, |event| seen.push(event.oversized));
            }
            scanner.finish(|event| seen.push(event.oversized));
            assert_eq!(seen, oversized, "{} bytes in parts of {size}", wire.len());
        }
    }
}

#[test]
fn many_data_lines_cannot_grow_the_scanner_either() {
    let mut scanner = Scanner::default();
    let line = [b"data: ".as_slice(), &[b'y'; 4_000], b"\n"].concat();
    for _ in 0..1_000 {
        scanner.feed(&line, |_| ());
    }
    assert!(scanner.data.capacity() <= 2 * MAX_EVENT + 8_192);
    let mut oversized = false;
    scanner.feed(b"\n", |event| oversized = event.oversized);
    assert!(oversized);
}

fn wire() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("data: {\"a\":\"\u{e9}\u{1f600}\"}".to_owned()),
        Just("data:x".to_owned()),
        Just("data".to_owned()),
        Just(": comment".to_owned()),
        Just("event: error".to_owned()),
        Just("event: message".to_owned()),
        Just(String::new()),
        Just(String::new()),
        "[a-z:]{0,6}",
    ];
    let end = prop_oneof![Just("\n"), Just("\r\n"), Just("\r")];
    (any::<bool>(), prop::collection::vec((piece, end), 0..24), any::<bool>()).prop_map(|(bom, lines, open)| {
        let mut text = String::from(if bom { "\u{feff}" } else { "" });
        for (line, end) in lines {
            text.push_str(&line);
            text.push_str(end);
        }
        if open {
            text.push_str("data: last");
        }
        text
    })
}

/// What the standard says, on the whole text at once.
fn reference(wire: &str) -> Vec<(String, bool)> {
    let text = wire.strip_prefix('\u{feff}').unwrap_or(wire).replace("\r\n", "\n").replace('\r', "\n");
    let mut out = Vec::new();
    let (mut data, mut named, mut any) = (Vec::new(), false, false);
    for line in text.split('\n').chain([""]) {
        if line.is_empty() {
            if any {
                out.push((data.join("\n"), named));
            }
            (data, named, any) = (Vec::new(), false, false);
            continue;
        }
        any = true;
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "data" => data.push(value.to_owned()),
            "event" => named = value == "error",
            _ => {}
        }
    }
    out
}

proptest! {
    #[test]
    fn cut_anywhere_reads_the_same(wire in wire()) {
        let whole = scan(&[wire.as_bytes()]);
        let read: Vec<_> = whole.iter().map(|seen| (seen.data.clone(), seen.named_error)).collect();
        prop_assert_eq!(read, reference(&wire));
        for cut in 0..=wire.len() {
            let (left, right) = wire.as_bytes().split_at(cut);
            let parts = scan(&[left, right]);
            prop_assert_eq!(parts.len(), whole.len(), "cut at {}", cut);
            for (part, all) in parts.iter().zip(&whole) {
                prop_assert_eq!(&part.data, &all.data);
                prop_assert_eq!(part.named_error, all.named_error);
                // An LF that is cut off its CR is forwarded with the next event.
                prop_assert!(part.end == all.end || part.end + 1 == all.end);
            }
        }
        let bytes: Vec<&[u8]> = wire.as_bytes().chunks(1).collect();
        prop_assert_eq!(scan(&bytes).len(), whole.len());
    }

    #[test]
    fn arbitrary_bytes_never_panic(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20)) {
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        scan(&parts);
    }
}

#[test]
fn a_byte_order_mark_alone_is_no_event() {
    let mut scanner = Scanner::default();
    scanner.feed(BOM, |_| panic!("nothing has come"));
    assert!(!scanner.mid_event());
    scanner.finish(|_| panic!("nothing has come"));
}
