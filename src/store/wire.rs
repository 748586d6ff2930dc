//! A short spelling of records: numbered fields, as Protocol Buffers have them.
//!
//! What a later version adds is passed over by an earlier one, and what is absent has its default: rows need not be
//! written anew when there is more to say. A self-describing format (JSON, CBOR) takes four times the room for names;
//! one without numbers (postcard, bincode) cannot be read any more when a field is added. This much of the format is a
//! page of code, so no crate is needed.

/// A record under construction.
#[derive(Debug, Default)]
pub(super) struct Writer(Vec<u8>);

/// What stands in a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// A number.
    Count(u64),
    /// A text, or a record.
    Bytes(&'a [u8]),
    /// Something that this version never writes.
    Other,
}

/// The fields of a record, in the order in which they were written.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a>(&'a [u8]);

/// The bytes are no record, or not one with these fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is torn")]
pub(super) struct Torn;

impl Writer {
    pub(super) fn count(&mut self, field: u64, count: u64) {
        self.varint(field << 3);
        self.varint(count);
    }

    /// The same, unless it is zero, which is what an absent number is.
    pub(super) fn count_if_any(&mut self, field: u64, count: u64) {
        if count != 0 {
            self.count(field, count);
        }
    }

    pub(super) fn text(&mut self, field: u64, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    pub(super) fn record(&mut self, field: u64, fill: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        fill(&mut inner);
        self.bytes(field, &inner.0);
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }
}

impl<'a> Value<'a> {
    pub(super) fn count(self) -> Result<u64, Torn> {
        if let Self::Count(count) = self { Ok(count) } else { Err(Torn) }
    }

    pub(super) fn text(self) -> Result<&'a str, Torn> {
        let Self::Bytes(bytes) = self else { return Err(Torn) };
        std::str::from_utf8(bytes).map_err(|_| Torn)
    }

    pub(super) fn record(self) -> Result<Fields<'a>, Torn> {
        if let Self::Bytes(bytes) = self { Ok(Fields(bytes)) } else { Err(Torn) }
    }
}

impl<'a> Fields<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn read(&mut self) -> Result<(u64, Value<'a>), Torn> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Count(self.varint()?),
            1 => self.take(8).map(|_| Value::Other)?,
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| Torn)?;
                Value::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Value::Other)?,
            _ => return Err(Torn),
        };
        Ok((tag >> 3, value))
    }

    fn varint(&mut self) -> Result<u64, Torn> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(Torn)?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if *byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Torn)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Torn> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Torn)?;
        self.0 = rest;
        Ok(taken)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), Torn>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let read = self.read();
        if read.is_err() {
            // What follows has no meaning.
            self.0 = &[];
        }
        Some(read)
    }
}

/// A difference as a small number, whichever of the two is larger.
pub(super) fn zigzag(number: u64, base: u64) -> u64 {
    let difference = number.wrapping_sub(base).cast_signed();
    (difference << 1 ^ difference >> 63).cast_unsigned()
}

/// The number whose difference from `base` this is.
pub(super) fn unzigzag(difference: u64, base: u64) -> u64 {
    base.wrapping_add(difference >> 1 ^ (difference & 1).wrapping_neg())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<(u64, Value<'_>)>, Torn> {
        Fields::of(bytes).collect()
    }

    /// The same bytes as the official encoder makes: field 1 of the examples of the specification.
    #[test]
    fn it_is_the_wire_format_of_protocol_buffers() {
        let mut writer = Writer::default();
        writer.count(1, 150);
        writer.text(2, "testing");
        writer.record(3, |inner| inner.count(1, 150));
        let bytes = writer.finish();
        assert_eq!(bytes, b"\x08\x96\x01\x12\x07testing\x1a\x03\x08\x96\x01");
        let fields = read(&bytes).unwrap();
        assert_eq!(fields[..2], [(1, Value::Count(150)), (2, Value::Bytes(b"testing"))]);
        assert_eq!(fields[2].1.record().unwrap().next(), Some(Ok((1, Value::Count(150)))));
        assert_eq!((fields[0].1.text(), fields[1].1.count()), (Err(Torn), Err(Torn)));
    }

    #[test]
    fn what_a_later_version_adds_is_passed_over() {
        let bytes = b"\x09eightbyt\x15four\x20\x07";
        assert_eq!(read(bytes).unwrap(), [(1, Value::Other), (2, Value::Other), (4, Value::Count(7))]);
    }

    #[test]
    fn what_is_no_record_is_said() {
        for torn in
            [&b"\x08"[..], b"\x12\x05four", b"\x0b", b"{\"id\"", b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"]
        {
            assert_eq!(read(torn), Err(Torn), "{torn:?}");
        }
    }

    proptest! {
        #[test]
        fn differences_are_exact(number: u64, base: u64) {
            prop_assert_eq!(unzigzag(zigzag(number, base), base), number);
        }

        #[test]
        fn any_bytes_are_read_to_an_end(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = read(&bytes);
        }
    }
}
