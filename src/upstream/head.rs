//! The head of an HTTP answer, as far as it decides how the connection goes on.

use bytes::BytesMut;
use memchr::memchr;

/// What bytes that begin with an answer's head amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// The end of the head has not come.
    Partial,
    /// An interim answer of so many bytes; the final one follows.
    Interim(usize),
    /// Says how long its body is, or has none. Also what is no HTTP at all: whoever parses it will say so.
    Plain,
    /// HTTP/1.1, and the body ends with the connection.
    Endless,
}

const VERSION: &[u8] = b"HTTP/1.1 ";

/// Looks at what has come of an answer.
#[must_use]
pub fn look(bytes: &[u8]) -> Head {
    if !VERSION.starts_with(bytes.get(..VERSION.len()).unwrap_or(bytes)) {
        return Head::Plain;
    }
    let mut measured = false;
    let mut at = 0;
    let end = loop {
        let Some(rest) = bytes.get(at..) else { return Head::Partial };
        let Some(length) = memchr(b'\n', rest) else { return Head::Partial };
        let line = rest.get(..length).unwrap_or_default();
        at += length + 1;
        if matches!(line, b"" | b"\r") {
            break at;
        }
        measured |= is_measure(line);
    };
    match bytes.get(VERSION.len()..VERSION.len() + 3) {
        // After 101 it is no HTTP any more.
        Some(b"101" | b"204" | b"304") => Head::Plain,
        Some([b'1', ..]) => Head::Interim(end),
        _ if measured => Head::Plain,
        _ => Head::Endless,
    }
}

/// Turns an endless answer into one of HTTP/1.0, whose body is read to the end of the connection.
pub fn downgrade(head: &mut BytesMut) {
    if let Some(minor) = head.get_mut(VERSION.len() - 2) {
        *minor = b'0';
    }
}

/// Says in a head that the connection ends with the answer.
pub fn close(head: &mut BytesMut) {
    let Some(first) = memchr(b'\n', head) else { return };
    let rest = head.split_off(first + 1);
    head.extend_from_slice(b"connection: close\r\n");
    head.unsplit(rest);
}

/// Whether a line says where the body ends.
fn is_measure(line: &[u8]) -> bool {
    let Some(colon) = memchr(b':', line) else { return false };
    let (name, value) = line.split_at(colon);
    let is = |field: &[u8]| name.trim_ascii_end().eq_ignore_ascii_case(field);
    let value = value.get(1..).unwrap_or_default().trim_ascii();
    is(b"content-length") || (is(b"transfer-encoding") && !value.eq_ignore_ascii_case(b"identity"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_told_from_its_parts() {
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nContent-Length: 2\r\n\r\n";
        for cut in 0..head.len() {
            assert_eq!(look(&head[..cut]), Head::Partial, "{cut}");
        }
        assert_eq!(look(head), Head::Plain);
        assert_eq!(look(&[&head[..], b"ok"].concat()), Head::Plain);
        for other in ["HTTP/1.0 200 OK\r\n\r\n", "hello", "HTTP/2 200\r\n\r\n", "<html>\n\n"] {
            assert_eq!(look(other.as_bytes()), Head::Plain, "{other}");
        }
        assert_eq!(look(b"HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\n"), Head::Plain, "lines may end in LF");
    }

    #[test]
    fn interim_answers_have_a_length_and_endless_ones_none() {
        let hints = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n";
        assert_eq!(look(&[&hints[..], b"HTTP/1.1 200"].concat()), Head::Interim(hints.len()));
        assert_eq!(look(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"), Head::Plain);
        assert_eq!(look(b"HTTP/1.1 204 No Content\r\n\r\n"), Head::Plain);
        assert_eq!(look(b"HTTP/1.1 200 OK\r\nx-content-length: 5\r\n\r\n"), Head::Endless);
        assert_eq!(look(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Identity\r\n\r\n"), Head::Endless);
        assert_eq!(look(b"HTTP/1.1 200 OK\r\ntransfer-encoding : chunked\r\n\r\n"), Head::Plain);
    }

    #[test]
    fn heads_are_changed_in_one_place_only() {
        let mut head = BytesMut::from(&b"HTTP/1.1 200 OK\r\na: b\r\n\r\nbody"[..]);
        downgrade(&mut head);
        assert_eq!(&head[..], b"HTTP/1.0 200 OK\r\na: b\r\n\r\nbody");
        close(&mut head);
        assert_eq!(&head[..], b"HTTP/1.0 200 OK\r\nconnection: close\r\na: b\r\n\r\nbody");
    }
}
