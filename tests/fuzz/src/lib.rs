//! A provider's answer as one string of bytes, so that a fuzzer can change any part of it: dialect and status in a byte
//! each, header lines, an empty line, the body.

use chain429::domain::case::Case;
use chain429::domain::dialect::Dialect;
use chain429::domain::time::Wall;

/// 2026-11-24T12:00:00Z
pub const NOW: Wall = Wall(1_795_521_600_000);

/// Set in the status byte of an event stream.
const STREAM: u8 = 0x80;

const STATUSES: [u16; 20] =
    [429, 200, 400, 401, 402, 403, 404, 405, 408, 410, 413, 415, 422, 498, 500, 502, 503, 524, 302, 0];

/// The case that bytes stand for.
pub fn decode(bytes: &[u8]) -> Option<Case> {
    let ([dialect, status], mut rest) = bytes.split_first_chunk::<2>()?;
    let mut headers = Vec::new();
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(&rest[..end]).into_owned();
        rest = &rest[end + 1..];
        match line.split_once(':') {
            Some((name, value)) => headers.push((name.to_owned(), value.to_owned())),
            None => break,
        }
    }
    Some(Case {
        dialect: Dialect::ALL[usize::from(*dialect) % Dialect::ALL.len()],
        now: NOW,
        status: STATUSES[usize::from(status & !STREAM) % STATUSES.len()],
        headers,
        body: rest.to_vec(),
        stream: status & STREAM != 0,
    })
}

/// The bytes that stand for a case.
pub fn encode(case: &Case) -> Vec<u8> {
    let place = |at: Option<usize>| u8::try_from(at.unwrap_or_default()).unwrap_or_default();
    let dialect = place(Dialect::ALL.iter().position(|known| *known == case.dialect));
    let status = place(STATUSES.iter().position(|known| *known == case.status));
    let mut bytes = vec![dialect, status | if case.stream { STREAM } else { 0 }];
    for (name, value) in &case.headers {
        bytes.extend_from_slice(format!("{name}:{value}\n").as_bytes());
    }
    bytes.push(b'\n');
    bytes.extend_from_slice(&case.body);
    bytes
}
