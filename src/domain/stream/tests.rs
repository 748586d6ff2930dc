use proptest::prelude::*;

use super::*;

const TEXT: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"h\u{e9}\"}}]}\n\n";
const STOP: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const USAGE: &str =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2,\"total_tokens\":3}}\n\n";
const ERROR: &str = "data: {\"error\":{\"message\":\"x\"}}\n\n";
const CLOSE: &str = "data: [DONE]\n\n";

/// What is sent on, and how it ended.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    sent: String,
    failed: bool,
    done: bool,
    complete: bool,
    truncated: bool,
}

/// Of a client that has asked for usage, or has not.
fn view(usage: bool) -> View {
    View { usage, ..View::PLAIN }
}

fn watch(parts: &[&[u8]], usage: bool) -> Outcome {
    watch_with(parts, view(usage))
}

fn watch_with(parts: &[&[u8]], view: View) -> Outcome {
    let mut watch = Watch::new(view);
    let mut sent = Vec::new();
    let mut outcome = Outcome::default();
    for part in parts {
        let fed = watch.feed(Bytes::copy_from_slice(part));
        sent.extend_from_slice(&fed.ready);
        outcome.failed |= fed.failed.is_some();
        outcome.done |= fed.done;
        if outcome.failed || outcome.done {
            break;
        }
    }
    if !outcome.failed && !outcome.done {
        let (fed, end) = watch.end();
        sent.extend_from_slice(&fed.ready);
        outcome.failed = fed.failed.is_some();
        outcome.done = fed.done;
        match end {
            Some(End::Complete(closing)) => {
                sent.extend_from_slice(&closing);
                outcome.complete = true;
            }
            Some(End::Truncated) => outcome.truncated = true,
            None => {}
        }
    }
    outcome.sent = String::from_utf8(sent).unwrap();
    outcome
}

fn watch_text(wire: &str) -> Outcome {
    watch(&[wire.as_bytes()], false)
}

#[test]
fn whole_events_pass_untouched_and_without_a_copy() {
    let wire = Bytes::from(format!("{TEXT}{STOP}"));
    let mut watch = Watch::new(view(false));
    let fed = watch.feed(wire.clone());
    assert_eq!(fed.ready, wire);
    assert_eq!(fed.ready.as_ptr(), wire.as_ptr());
    assert!(watch.committed() && !watch.mid_event());
}

#[test]
fn the_end_is_done_or_a_finish_reason() {
    let all = format!("{TEXT}{STOP}{CLOSE}");
    assert_eq!(watch_text(&all), Outcome { sent: all.clone(), done: true, ..Outcome::default() });
    let outcome = watch_text(&format!("{TEXT}{STOP}"));
    assert_eq!((outcome.complete, outcome.sent), (true, all));
    let outcome = watch_text(TEXT);
    assert_eq!((outcome.truncated, outcome.sent.as_str()), (true, TEXT));
}

#[test]
fn the_failing_event_and_what_follows_are_not_sent() {
    let outcome = watch_text(&format!("{TEXT}{ERROR}{CLOSE}"));
    assert_eq!(outcome, Outcome { sent: TEXT.into(), failed: true, ..Outcome::default() });
    let outcome = watch_text(&format!("{TEXT}{}", ERROR.trim_end()));
    assert!(outcome.failed && outcome.sent == TEXT);
}

#[test]
fn half_an_event_is_never_sent() {
    for cut in 1..TEXT.len() - 1 {
        let half = TEXT.as_bytes().get(..cut).unwrap();
        let outcome = watch(&[TEXT.as_bytes(), half], false);
        assert_eq!((outcome.sent.as_str(), outcome.truncated), (TEXT, true), "{cut}");
        let usage = USAGE.as_bytes().get(..cut).unwrap();
        let outcome = watch(&[TEXT.as_bytes(), STOP.as_bytes(), usage], false);
        assert_eq!((outcome.sent, outcome.complete), (format!("{TEXT}{STOP}{CLOSE}"), true), "{cut}");
    }
}

#[test]
fn the_end_of_one_choice_is_not_the_end_of_all() {
    let outcome = watch_text(&format!("{TEXT}{STOP}{TEXT}"));
    assert_eq!((outcome.truncated, outcome.sent), (true, format!("{TEXT}{STOP}{TEXT}")));
    let outcome = watch_text(&format!("{TEXT}{STOP}{TEXT}{STOP}"));
    assert!(outcome.complete && outcome.sent.ends_with(CLOSE));
}

#[test]
fn an_event_too_large_to_hold_is_sent_in_parts() {
    let mut watch = Watch::new(view(false));
    let part = Bytes::from(vec![b'x'; 300_000]);
    let mut sent = watch.feed(Bytes::from_static(b"data: ")).ready.len();
    for _ in 0..10 {
        sent += watch.feed(part.clone()).ready.len();
        assert!(watch.tail.len() <= MAX_EVENT);
    }
    assert!(watch.mid_event());
    sent += watch.feed(Bytes::from_static(b"\n\n")).ready.len();
    assert_eq!(sent, 6 + 3_000_000 + 2);
    assert!(watch.committed() && !watch.mid_event());
}

#[test]
fn the_last_usage_counts() {
    let mut watch = Watch::new(view(false));
    watch.feed(Bytes::from(format!(
        "{TEXT}{USAGE}{}",
        USAGE.replace("\"completion_tokens\":2", "\"completion_tokens\":9")
    )));
    assert_eq!(watch.usage().map(|usage| usage.completion_tokens), Some(9));
}

#[test]
fn a_client_sees_one_usage_chunk_or_none() {
    let late = USAGE.replace("\"completion_tokens\":2", "\"completion_tokens\":9");
    for wire in
        [format!("{TEXT}{STOP}{USAGE}{CLOSE}"), format!("{TEXT}{USAGE}{STOP}{CLOSE}"), format!("{USAGE}{TEXT}{STOP}")]
    {
        assert_eq!(watch_text(&wire).sent, format!("{TEXT}{STOP}{CLOSE}"));
        let asked = watch(&[wire.as_bytes()], true).sent;
        assert_eq!(asked, format!("{TEXT}{STOP}{USAGE}{CLOSE}"));
    }
    let several = format!("{USAGE}{TEXT}{USAGE}{STOP}{late}{CLOSE}");
    assert_eq!(watch(&[several.as_bytes()], true).sent, format!("{TEXT}{STOP}{late}{CLOSE}"));
    assert_eq!(watch_text(&several).sent, format!("{TEXT}{STOP}{CLOSE}"));
}

#[test]
fn usage_beside_a_choice_is_not_repeated() {
    let both = STOP.replace("]}\n", "],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}\n");
    let wire = format!("{TEXT}{both}{CLOSE}");
    assert_eq!(watch(&[wire.as_bytes()], true).sent, wire);
    assert_eq!(watch_text(&wire).sent, wire);
}

#[test]
fn usage_that_nobody_reports_is_estimated_and_says_so() {
    let demand = Demand { prompt_bytes: 400, ..View::PLAIN.demand };
    let head = TEXT.replace("{\"choices\"", "{\"id\":\"x\",\"created\":7,\"model\":\"m\",\"choices\"");
    for wire in [format!("{head}{STOP}{CLOSE}"), format!("{head}{STOP}")] {
        let sent = watch_with(&[wire.as_bytes()], View { usage: true, demand, ..View::PLAIN }).sent;
        let chunk =
            sent.strip_prefix(&format!("{head}{STOP}data: ")).and_then(|rest| rest.strip_suffix(CLOSE)).unwrap();
        let expected = serde_json::json!({
            "id": "x", "object": "chat.completion.chunk", "created": 7, "model": "m", "choices": [],
            "usage": { "prompt_tokens": 100, "completion_tokens": 1, "total_tokens": 101 }, "usage_estimated": true,
        });
        assert_eq!(serde_json::from_str::<serde_json::Value>(chunk).unwrap(), expected);
        assert!(!watch_text(&wire).sent.contains("usage"));
    }
    let groq = format!(
        "{TEXT}{STOP}data: {{\"x_groq\":{{\"usage\":{{\"prompt_tokens\":5,\"completion_tokens\":6}}}}}}\n\n{CLOSE}"
    );
    let sent = watch(&[groq.as_bytes()], true).sent;
    assert!(
        sent.contains("\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":6,") && !sent.contains("estimated"),
        "{sent}"
    );
}

#[test]
fn what_is_lost_is_no_complete_answer() {
    for garbled in [
        "data: {\"choices\":[{\"delta\":{\"content\":\"h\n\n",
        "data: {\"id\":\"c\",\"object\":\"chat.comple\n\n",
        "data: {\"choices\":[]} {\"choices\":[]}\n\n",
    ] {
        let mut watch = Watch::new(view(false));
        let fed = watch.feed(Bytes::from(format!("{TEXT}{garbled}{STOP}{CLOSE}")));
        assert_eq!(
            (fed.ready, fed.failed),
            (Bytes::from_static(TEXT.as_bytes()), Some(Failure::Garbled)),
            "{garbled:?}"
        );
    }
    for noise in ["data: ping\n\n", "data: null\n\n", "data: {oops\n\n", "data: <html>\n\n", "data: \0\n\n"] {
        let wire = format!("{noise}{TEXT}{noise}{STOP}{noise}{CLOSE}");
        assert_eq!(watch_text(&wire).sent, format!("{TEXT}{STOP}{CLOSE}"), "{noise:?}");
    }
}

#[test]
fn a_stream_may_be_only_so_long() {
    let mut watch = Watch::new(View { most: 1_000, ..View::PLAIN });
    let mut sent = 0;
    let failure = loop {
        let fed = watch.feed(Bytes::from_static(TEXT.as_bytes()));
        sent += fed.ready.len();
        if fed.failed.is_some() {
            break fed.failed;
        }
    };
    assert_eq!(failure, Some(Failure::TooLong));
    assert!(sent <= 1_000 && watch.over());
}

#[test]
fn every_choice_has_to_end() {
    let choice = |index: u8, text: &str| {
        TEXT.replace("{\"delta\"", &format!("{{\"index\":{index},\"delta\"")).replace("hé", text)
    };
    let stop = |index: u8| STOP.replace("{\"delta\"", &format!("{{\"index\":{index},\"delta\""));
    let begun = choice(0, "a") + &choice(1, "b") + &stop(0);
    assert!(watch_text(&begun).truncated, "the other one goes on");
    assert!(watch_text(&(begun.clone() + &stop(1))).complete);
    assert!(watch_text(&(begun + CLOSE)).done, "the provider says that it is all");
}

/// An event that is too large to be held has begun to go out: nothing is put in its place any more.
#[test]
fn an_event_whose_beginning_was_sent_is_sent_to_its_end() {
    let comments = ": keep\n".repeat(160_000);
    let wire = format!("{comments}{USAGE}{TEXT}{STOP}{CLOSE}");
    for cut in [MAX_EVENT + 5, MAX_EVENT + 1, comments.len() + 3] {
        let (left, right) = wire.as_bytes().split_at(cut);
        for usage in [false, true] {
            let sent = watch(&[left, right], usage).sent;
            let shown = sent.strip_prefix(&comments).unwrap();
            assert!(shown.contains(TEXT) && shown.ends_with(CLOSE), "{shown}");
            assert!(shown.starts_with("data: ") && !shown.contains(": data"), "{shown}");
        }
    }
}

#[test]
fn data_in_several_lines_stays_readable_when_it_is_written_anew() {
    let lines = |event: &str| event.replace("\"choices\":", "\ndata: \"choices\":\ndata: ");
    let thought = TEXT.replace("content", "reasoning_content");
    let wire = format!("{}{STOP}{}{CLOSE}", lines(&thought), lines(USAGE));
    let sent = watch_with(&[wire.as_bytes()], View { usage: true, normalize: true, ..View::PLAIN }).sent;
    let mut seen = Vec::new();
    let mut scanner = Scanner::default();
    scanner.feed(sent.as_bytes(), |event| seen.push(event.data.to_vec()));
    let values: Vec<_> =
        seen.iter().take(3).map(|data| serde_json::from_slice::<serde_json::Value>(data).unwrap()).collect();
    assert_eq!(values[0]["choices"][0]["delta"]["content"], "hé");
    assert_eq!(values[2]["usage"]["total_tokens"], 3);
}

#[test]
fn whatever_a_provider_puts_into_its_chunks_the_usage_chunk_is_made() {
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    for odd in ["\"id\":\"\\ud800\"", "\"created\":1e999", &format!("\"id\":{deep}"), "\"model\":null", "\"id\":7"] {
        let wire = TEXT.replace("{\"choices\"", &format!("{{{odd},\"choices\"")) + STOP + CLOSE;
        let sent = watch(&[wire.as_bytes()], true).sent;
        assert_eq!(sent.matches("usage_estimated").count(), 1, "{odd}");
        assert!(sent.contains(&format!("{odd},\"usage\"")) || odd.ends_with("null"), "{sent}");
    }
}

#[test]
fn usage_without_a_choice_is_a_usage_chunk_and_one_is_enough() {
    let bare = "data: {\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2,\"total_tokens\":3}}\n\n";
    assert_eq!(watch_text(&format!("{TEXT}{STOP}{bare}{CLOSE}")).sent, format!("{TEXT}{STOP}{CLOSE}"));
    let both = STOP.replace("]}\n", "],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}\n");
    let sent = watch(&[format!("{TEXT}{both}{USAGE}{CLOSE}").as_bytes()], true).sent;
    assert_eq!(sent, format!("{TEXT}{both}{CLOSE}"), "it would be counted twice");
}

#[test]
fn reasoning_is_shown_as_content_where_that_is_wanted() {
    let thought = TEXT.replace("content", "reasoning_content");
    let (wire, answer) = (format!("{thought}{TEXT}{STOP}{CLOSE}"), TEXT.replace("\"h", "\"\\n\\nh"));
    assert_eq!(watch_text(&wire).sent, wire);
    for cut in 0..wire.len() {
        let (left, right) = wire.as_bytes().split_at(cut);
        let sent = watch_with(&[left, right], View { normalize: true, ..View::PLAIN }).sent;
        assert_eq!(sent, format!("{TEXT}{answer}{STOP}{CLOSE}"), "{cut}");
    }
}

const GARBLED: &str = "data: {\"choices\":[oops\n\n";

const THOUGHT: &str = "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n";

proptest! {
    /// However the wire is cut, the same bytes are sent on and the end is the same.
    #[test]
    fn cuts_change_nothing(
        events in prop::collection::vec(
            prop::sample::select(vec![TEXT, STOP, USAGE, ERROR, CLOSE, THOUGHT, ": hi\n\n", GARBLED, "data: ping\n\n"]), 0..8),
        crlf in any::<bool>(), usage in any::<bool>(), normalize in any::<bool>(), open in any::<bool>(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let view = View { usage, normalize, ..View::PLAIN };
        let mut wire = events.concat();
        if crlf { wire = wire.replace('\n', "\r\n"); }
        if open { wire = wire.trim_end().to_owned(); }
        let whole = watch_with(&[wire.as_bytes()], view);
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(wire.len() + 1)).collect();
        places.extend([0, wire.len()]);
        places.sort_unstable();
        let parts: Vec<&[u8]> = places.windows(2).map(|pair| &wire.as_bytes()[pair[0]..pair[1]]).collect();
        let cut = watch_with(&parts, view);
        // An LF that is cut off its CR may be sent later, or not at all behind the end: blank either way.
        prop_assert_eq!(cut.sent.replace(['\r', '\n'], ""), whole.sent.replace(['\r', '\n'], ""));
        prop_assert_eq!((cut.failed, cut.done, cut.complete, cut.truncated), (whole.failed, whole.done, whole.complete, whole.truncated));
        // What has only begun at the end is left out, and ends nothing.
        let half = open && events.last().is_some_and(|event| event.starts_with(':') || *event == GARBLED || event.contains("ping"));
        let whole_events = &events[..events.len() - usize::from(half)];
        let ends = |event: &&&str| ![ERROR, CLOSE, GARBLED].contains(*event);
        let shown = |event: &&&str| !(event.contains("ping") || event.contains("\"usage\""));
        let kept: String = whole_events.iter().take_while(ends).filter(shown).copied().collect();
        if !normalize {
            prop_assert!(whole.sent.replace("\r\n", "\n").starts_with(kept.trim_end()) || whole.truncated);
        }
        let ended = whole.complete || whole.done;
        prop_assert_eq!(whole.sent.matches("\"usage\"").count(), usize::from(usage && ended));
        prop_assert_eq!(whole.sent.matches("[DONE]").count(), usize::from(ended));
        prop_assert!(!normalize || !whole.sent.contains("reasoning"));
    }
}
