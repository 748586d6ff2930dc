//! A complete upstream answer, as classification sees it.

/// Header values are untrusted: nothing behind this many bytes is read. The longest sensible value is an HTTP date.
const MAX_VALUE: usize = 64;

/// Status, headers and body of an answer that has arrived completely.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The HTTP status; 0 when there was no HTTP answer at all.
    pub status: u16,
    /// Names in any case; a header that came in several lines is listed as often.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The body, decoded.
    pub body: &'a [u8],
}

impl Answer<'_> {
    /// True when the body is as long as the answer announced.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let announced = Headers(self.headers).lines("content-length").next().and_then(|value| value.parse().ok());
        announced == Some(self.body.len())
    }
}

/// The header lines of an answer, or of the copy of them that an aggregator puts into its error body.
#[derive(Clone, Copy, Debug)]
pub struct Headers<'a>(pub &'a [(&'a str, &'a [u8])]);

impl<'a> Headers<'a> {
    /// All lines of the header called `name` whose value is readable, in order.
    pub fn lines(self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.all().filter(move |(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// All lines whose value is readable: ASCII, trimmed, cut to a sane length.
    pub fn all(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(|(name, value)| Some((*name, readable(value)?)))
    }
}

fn readable(value: &[u8]) -> Option<&str> {
    let value = value.get(..MAX_VALUE).unwrap_or(value);
    if !value.is_ascii() {
        return None;
    }
    std::str::from_utf8(value).ok().map(str::trim)
}
