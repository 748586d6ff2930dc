//! Which contents of the file somebody has seen.

use std::fmt;

/// The contents of a file, by the beginning of their SHA-256: equal contents have equal revisions, and others do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Revision([u8; 8]);

impl Revision {
    /// Of these contents.
    #[must_use]
    pub fn of(contents: &[u8]) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA256, contents);
        let mut bytes = [0; 8];
        bytes.iter_mut().zip(digest.as_ref()).for_each(|(byte, digit)| *byte = *digit);
        Self(bytes)
    }

    /// From the 16 hex digits that `Display` writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 16 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        u64::from_str_radix(text, 16).ok().map(|number| Self(number.to_be_bytes()))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_sixteen_digits_of_the_contents() {
        let revision = Revision::of(b"abc");
        assert_eq!(revision.to_string(), "ba7816bf8f01cfea");
        assert_eq!(Revision::parse("ba7816bf8f01cfea"), Some(revision));
        for bad in ["", "ba7816bf8f01cfe", "BA7816BF8F01CFEA", "+a7816bf8f01cfea", "ba7816bf8f01cfeag"] {
            assert_eq!(Revision::parse(bad), None, "{bad}");
        }
    }
}
