use proptest::option::of;
use proptest::prelude::*;

use super::*;

const ID: &str = "req_01a2b3c4d5e0000002a89abcdef";

fn request() -> Request {
    let served = StepView {
        provider: ProviderId::new("groq"),
        model: ModelId::new("llama-3.3-70b-versatile"),
        outcome: StepOutcome::Served,
        key: None,
        reason: None,
        status: 0,
        message: None,
        retry_at: None,
        ms: Some(180),
    };
    Request {
        id: ID.to_owned(),
        arrived: Wall(key::time_of(ID)),
        chain: "default".to_owned(),
        client: "key-1".to_owned(),
        model: "default".to_owned(),
        stream: true,
        served_by: Some("groq/llama-3.3-70b-versatile".to_owned()),
        trail: vec![served],
        status: 200,
        code: None,
        usage: Some(Usage { prompt_tokens: 900, completion_tokens: 250, total_tokens: 1_150, ..Usage::default() }),
        waited_ms: 0,
        first_token_ms: Some(210),
        ms: 1_900,
        bytes_in: 3_600,
        bytes_out: 5_200,
    }
}

fn there_and_back(request: &Request) -> Request {
    decode(request.id.clone(), &encode(request)).unwrap()
}

#[test]
fn a_usual_row_is_short() {
    let bytes = encode(&request());
    assert_eq!(there_and_back(&request()), request());
    assert!(bytes.len() < 80, "{}", bytes.len());
}

/// Rows of this version are read by all later ones: these bytes must never lose their meaning.
#[test]
fn a_row_of_the_first_day_is_still_read() {
    let bytes = b"\x0a\x07default\x12\x05key-1\x28\x03\x32\x22\x0a\x04groq\x12\x17llama-3.3-70b-versatile\x48\xb4\x01\
        \x4a\x06\x08\x84\x07\x10\xfa\x01\x58\xd2\x01\x60\xec\x0e\x68\x90\x1c\x70\xd0\x28";
    assert_eq!(decode(ID.to_owned(), bytes).unwrap(), request());
    assert_eq!(encode(&request()), bytes);
}

#[test]
fn what_a_later_version_adds_is_passed_over() {
    let mut bytes = encode(&request());
    bytes.extend_from_slice(b"\x80\x01\x07\x8a\x01\x03new\x91\x01eightbyt");
    assert_eq!(decode(ID.to_owned(), &bytes).unwrap(), request());
    let mut later = request();
    later.trail[0].reason = Some(Reason::Timeout);
    let bytes = encode(&later);
    let at = bytes.windows(7).position(|part| part == b"timeout").unwrap();
    let renamed = [&bytes[..at], b"no-such", &bytes[at + 7..]].concat();
    assert_eq!(decode(ID.to_owned(), &renamed).unwrap().trail[0].reason, Some(Reason::Unknown));
}

#[test]
fn what_is_no_row_names_the_request() {
    let sound = encode(&request());
    for torn in [&sound[..sound.len() - 1], b"{\"id\":", b"\x3a\x03abc", b"\x32\x00"] {
        let fault = decode(ID.to_owned(), torn).unwrap_err();
        assert!(fault.to_string().contains(ID), "{fault}");
    }
}

fn steps() -> impl Strategy<Value = StepView> {
    let outcomes =
        prop::sample::select(vec![StepOutcome::Served, StepOutcome::Failed, StepOutcome::Skipped, StepOutcome::Able]);
    let reasons = of(prop::sample::select(Reason::ALL.to_vec()));
    let names = ("\\PC{0,9}", "\\PC{0,9}");
    (names, outcomes, of(any::<usize>()), reasons, any::<u16>(), of("\\PC{0,20}"), of(any::<u64>()), any::<u64>())
        .prop_map(|((provider, model), outcome, key, reason, status, message, retry_at, ms)| StepView {
            provider: ProviderId::new(provider),
            model: ModelId::new(model),
            outcome,
            key,
            reason,
            status,
            message,
            retry_at: retry_at.map(Wall),
            ms: Some(ms),
        })
}

fn usages() -> impl Strategy<Value = Usage> {
    (any::<[u64; 3]>(), of(any::<u64>()), of(any::<u64>()), any::<bool>()).prop_map(
        |([prompt_tokens, completion_tokens, total_tokens], cached_tokens, reasoning_tokens, estimated)| Usage {
            prompt_tokens,
            completion_tokens,
            total_tokens,
            cached_tokens,
            reasoning_tokens,
            estimated,
        },
    )
}

fn requests() -> impl Strategy<Value = Request> {
    let texts = ("(req_[0-9a-f]{27}|\\PC{0,9})", "\\PC{0,9}", "\\PC{0,9}", "(default|\\PC{0,9})");
    let served_by = of("[a-b]/[a-b]");
    let numbers = (any::<[u64; 5]>(), of(any::<u64>()), any::<u16>(), any::<bool>());
    (texts, served_by, prop::collection::vec(steps(), 0..4), of("[a-z_]{0,9}"), of(usages()), numbers).prop_map(
        |((id, chain, client, model), served_by, trail, code, usage, numbers)| {
            let ([arrived, waited_ms, ms, bytes_in, bytes_out], first_token_ms, status, stream) = numbers;
            Request {
                id,
                arrived: Wall(arrived),
                chain,
                client,
                model,
                stream,
                served_by,
                trail,
                status,
                code: code.map(Cow::Owned),
                usage,
                waited_ms,
                first_token_ms,
                ms,
                bytes_in,
                bytes_out,
            }
        },
    )
}

proptest! {
    #[test]
    fn every_row_comes_back_as_it_was(request in requests()) {
        prop_assert_eq!(there_and_back(&request), request);
    }

    #[test]
    fn any_bytes_are_a_row_or_none(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = decode(ID.to_owned(), &bytes);
    }

    /// A row that is cut is never taken for a whole one with other numbers behind it.
    #[test]
    fn a_row_that_is_changed_is_read_or_refused(request in requests(), at: prop::sample::Index, byte: u8) {
        let mut bytes = encode(&request);
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = decode(request.id, &bytes);
    }
}
