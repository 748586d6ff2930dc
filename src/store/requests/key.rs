//! Ids of requests as keys: half as long as their text, and in the same order.
//!
//! An id is `req_` and 27 hexadecimal digits: 11 for the milliseconds, 8 for a counter, 8 for the process. Its key is
//! six bytes for the time and a nibble that says what follows, and eight bytes for the rest. Ids of other shapes occur as
//! bounds of a range, and in nothing that the proxy writes; they keep their text, and those that tell a time lie at that
//! time.

use crate::store::error::Fault;

/// Digits of the time.
const TIME: usize = 11;

/// Digits of counter and process.
const REST: usize = 16;

/// What follows the time begins with something that sorts before every digit, or is nothing.
const BELOW: u64 = 0;

/// What follows the time are 8 bytes for 16 digits, and perhaps a text.
const OURS: u64 = 8;

/// What follows the time is another text.
const ABOVE: u64 = 15;

/// In place of a time: ids that tell none are older than all others. Bytes that no text begins with keep them apart.
const TIMELESS: &[u8] = &[0, 0, 0, 0, 0, 0, 0xff];

/// The key of an id. That of an empty one sorts before all others.
pub(super) fn encode(id: &str) -> Vec<u8> {
    if id.is_empty() {
        return Vec::new();
    }
    let Some((time, rest)) = id.strip_prefix("req_").and_then(|digits| number(digits, TIME)) else {
        return [TIMELESS, id.as_bytes()].concat();
    };
    let head = |kind: u64| {
        let [_, _, head @ ..] = (time << 4 | kind).to_be_bytes();
        head
    };
    if let Some((middle, tail)) = number(rest, REST) {
        return [&head(OURS)[..], &middle.to_be_bytes(), tail.as_bytes()].concat();
    }
    let kind = if rest.as_bytes().first().is_none_or(|first| *first < b'0') { BELOW } else { ABOVE };
    [&head(kind)[..], rest.as_bytes()].concat()
}

/// The id of a key.
///
/// # Errors
/// When it is the key of nothing.
pub(super) fn decode(key: &[u8]) -> Result<String, Fault> {
    read(key).ok_or_else(|| Fault::Damaged("a request has no id".to_owned()))
}

fn read(key: &[u8]) -> Option<String> {
    if key.is_empty() {
        return Some(String::new());
    }
    let text = |bytes| std::str::from_utf8(bytes).ok();
    if let Some(id) = key.strip_prefix(TIMELESS) {
        return text(id).map(str::to_owned);
    }
    let (head, rest) = key.split_first_chunk::<6>()?;
    let head = head.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    let (time, kind) = (head >> 4, head & 15);
    match kind {
        OURS => {
            let (middle, tail) = rest.split_first_chunk::<8>()?;
            Some(format!("req_{time:011x}{:016x}{}", u64::from_be_bytes(*middle), text(tail)?))
        }
        BELOW | ABOVE => Some(format!("req_{time:011x}{}", text(rest)?)),
        _ => None,
    }
}

/// When a request with this id arrived, in milliseconds since the Unix epoch; 0 when it does not tell.
pub(super) fn time_of(id: &str) -> u64 {
    id.strip_prefix("req_").and_then(|digits| number(digits, TIME)).map_or(0, |(time, _)| time)
}

/// The number at the beginning of a text, in so many digits as ids are spelt in, and what follows.
fn number(text: &str, digits: usize) -> Option<(u64, &str)> {
    let (number, rest) = text.split_at_checked(digits)?;
    let are_digits = number.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    are_digits.then(|| u64::from_str_radix(number, 16).ok()).flatten().map(|number| (number, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "req_01a2b3c4d5e0000002a89abcdef";

    #[test]
    fn an_id_of_ours_takes_fourteen_bytes() {
        assert_eq!(encode(ID).len(), 14);
        assert_eq!(decode(&encode(ID)).unwrap(), ID);
        assert_eq!(time_of(ID), 0x01a_2b3c_4d5e);
    }

    /// Such as bounds are made of.
    #[test]
    fn a_time_sorts_before_all_that_arrive_at_it_and_a_mark_behind_its_id() {
        let (time, marked) = ("req_01a2b3c4d5e", format!("{ID}!"));
        let next = "req_01a2b3c4d5f";
        let keys = ["", "no-id", time, "req_01a2b3c4d5e-7", ID, &marked, "req_01a2b3c4d5ex", next].map(encode);
        assert!(keys.is_sorted_by(|one, other| one < other), "{keys:?}");
    }

    #[test]
    fn ids_that_tell_no_time_are_old() {
        for id in ["req_", "req_1", "REQ_01a2b3c4d5e", "req_01A2B3C4D5E0000002a89abcdef", "x"] {
            assert_eq!((decode(&encode(id)).unwrap().as_str(), time_of(id)), (id, 0));
            assert!(encode(id) < encode("req_00000000001"));
        }
    }

    #[test]
    fn what_is_the_key_of_nothing_is_said() {
        for key in [&[0][..], &[1, 2, 3, 4, 5, 0x68, 1], &[1, 2, 3, 4, 5, 0x63], b"\0\0\0\0\0\0\xff\xff"] {
            assert!(decode(key).is_err(), "{key:?}");
        }
    }

    proptest! {
        #[test]
        fn keys_sort_as_ids_do(one in "req_[0-9a-f]{27}", other in "req_[0-9a-f]{27}") {
            prop_assert_eq!(encode(&one).cmp(&encode(&other)), one.cmp(&other));
        }

        #[test]
        fn every_text_comes_back(id in "(req_[0-9a-f]{0,30})?\\PC{0,12}") {
            prop_assert_eq!(decode(&encode(&id)).unwrap(), id);
        }

        #[test]
        fn any_bytes_are_read(key in prop::collection::vec(any::<u8>(), 0..24)) {
            let _ = decode(&key);
        }
    }
}
