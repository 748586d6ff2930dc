//! Trace context as the W3C recommendation has it: which trace a request belongs to, and whether it is recorded.
//!
//! Source: W3C Trace Context (levels 1 and 2), sections 3.2 and 3.3; samplers: OpenTelemetry's specification of them.

use std::fmt;

/// A list that is longer may be dropped as a whole (3.3.1.5 asks for 512 characters to be kept).
const LONGEST_STATE: usize = 2_048;

/// Members of a list (3.3.1.1).
const MOST_MEMBERS: usize = 32;

/// Names a trace. Never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceId(pub [u8; 16]);

/// Names a span within its trace. Never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpanId(pub [u8; 8]);

/// What a client says of the span that its request belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    trace: TraceId,
    span: SpanId,
    sampled: bool,
    random: bool,
    state: Option<String>,
}

/// Which traces are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampler {
    /// What a client has decided holds.
    pub heeds_parent: bool,
    /// How many of [`Sampler::ALL`] are recorded otherwise, told by their ids: so all parts of a trace agree.
    pub share: u64,
}

/// The trace of one request, and its own span in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The client's, or a new one.
    pub id: TraceId,
    /// That of the request.
    pub span: SpanId,
    /// The client's span.
    pub parent: Option<SpanId>,
    /// Whether spans are recorded.
    pub sampled: bool,
    /// What others have to say about the trace; passed on as it came.
    pub state: Option<String>,
    random: bool,
}

impl TraceId {
    /// `None` for zero, which is no id.
    #[must_use]
    pub fn new(bytes: [u8; 16]) -> Option<Self> {
        (bytes != [0; 16]).then_some(Self(bytes))
    }
}

impl SpanId {
    /// `None` for zero, which is no id.
    #[must_use]
    pub fn new(bytes: [u8; 8]) -> Option<Self> {
        (bytes != [0; 8]).then_some(Self(bytes))
    }
}

impl Parent {
    /// Reads `traceparent`, and `tracestate` as far as it is a list. `None` when there is no proper `traceparent`.
    #[must_use]
    pub fn read(traceparent: &[u8], tracestate: Option<String>) -> Option<Self> {
        let mut fields = traceparent.splitn(5, |byte| *byte == b'-');
        let [version] = unhex(fields.next()?)?;
        let trace = TraceId::new(unhex(fields.next()?)?)?;
        let span = SpanId::new(unhex(fields.next()?)?)?;
        let [flags] = unhex(fields.next()?)?;
        match (version, fields.next()) {
            // Later versions may say more behind the part that is known.
            (0xff, _) | (0, Some(_)) => return None,
            _ => {}
        }
        let state = tracestate.filter(|state| is_list(state));
        Some(Self { trace, span, sampled: flags & 1 != 0, random: flags & 2 != 0, state })
    }
}

impl Sampler {
    /// The whole of the ids, as [`share`](Self::share) counts them.
    pub const ALL: u64 = 1 << 63;

    fn samples(self, trace: TraceId, parent: Option<&Parent>) -> bool {
        match parent {
            Some(parent) if self.heeds_parent => parent.sampled,
            _ => u128::from_be_bytes(trace.0) as u64 >> 1 < self.share,
        }
    }
}

impl Trace {
    /// Goes on with the client's trace, or begins one with the fresh id.
    #[must_use]
    pub fn begin(parent: Option<Parent>, fresh: TraceId, span: SpanId, sampler: Sampler) -> Self {
        let id = parent.as_ref().map_or(fresh, |parent| parent.trace);
        let sampled = sampler.samples(id, parent.as_ref());
        let (random, of) = (parent.as_ref().is_none_or(|parent| parent.random), parent.as_ref().map(|it| it.span));
        Self { id, span, parent: of, sampled, state: parent.and_then(|parent| parent.state), random }
    }

    /// The flags of `traceparent`.
    #[must_use]
    pub fn flags(&self) -> u8 {
        u8::from(self.sampled) | u8::from(self.random) << 1
    }

    /// `traceparent` for whoever is called from within `span`.
    #[must_use]
    pub fn traceparent(&self, span: SpanId) -> String {
        format!("00-{}-{span}-{:02x}", self.id, self.flags())
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

/// Exactly so many bytes in lower-case hexadecimal.
fn unhex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let digit = |byte: u8| (!byte.is_ascii_uppercase()).then(|| char::from(byte).to_digit(16)).flatten();
    let mut bytes = [0; N];
    if text.len() != 2 * N {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        for half in pair {
            *byte = *byte << 4 | digit(*half)? as u8;
        }
    }
    Some(bytes)
}

/// Whether it is safe to pass on: `key=value` members of visible characters, no more than may be.
fn is_list(state: &str) -> bool {
    let member = |member: &str| {
        let member = member.trim_matches([' ', '\t']);
        member.is_empty() || member.split_once('=').is_some_and(|(key, value)| !key.is_empty() && !value.is_empty())
    };
    (1..=LONGEST_STATE).contains(&state.len())
        && state.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
        && state.split(',').count() <= MOST_MEMBERS
        && state.split(',').all(member)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const EVERY: Sampler = Sampler { heeds_parent: true, share: Sampler::ALL };

    fn read(traceparent: &str, tracestate: Option<&str>) -> Option<Parent> {
        Parent::read(traceparent.as_bytes(), tracestate.map(str::to_owned))
    }

    fn begin(parent: Option<Parent>, sampler: Sampler) -> Trace {
        Trace::begin(parent, TraceId([0xab; 16]), SpanId([1; 8]), sampler)
    }

    #[test]
    fn a_trace_goes_on_under_the_span_of_this_side() {
        for (flags, sent, sampled) in [("00", "00", false), ("01", "01", true), ("03", "03", true), ("fd", "01", true)]
        {
            let parent = read(&format!("00-{TRACE}-00f067aa0ba902b7-{flags}"), Some("a=1,b@x=2"));
            let trace = begin(parent, EVERY);
            assert_eq!(trace.parent.unwrap().to_string(), "00f067aa0ba902b7");
            assert_eq!((trace.sampled, trace.state.as_deref()), (sampled, Some("a=1,b@x=2")));
            assert_eq!(trace.traceparent(SpanId([2; 8])), format!("00-{TRACE}-0202020202020202-{sent}"));
        }
    }

    #[test]
    fn what_is_malformed_counts_as_absent() {
        for bad in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-+1",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "0g-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
        ] {
            assert_eq!(read(bad, None), None, "{bad}");
        }
        assert!(read(&format!("cc-{TRACE}-00f067aa0ba902b7-01-what-the-future-brings"), None).is_some());
        assert!(Parent::read(b"\xff\xff", None).is_none());
        let many = vec!["a=1"; 33].join(",");
        for bad in ["", "a", "a=", "=1", "a=1,b", "a=\u{e9}", "a=\n1", &"x".repeat(3_000), &many] {
            let parent = read(&format!("00-{TRACE}-00f067aa0ba902b7-01"), Some(bad)).unwrap();
            assert_eq!(parent.state, None, "{bad:?}");
        }
    }

    #[test]
    fn a_new_trace_is_sampled_by_its_id() {
        let half = Sampler { heeds_parent: true, share: Sampler::ALL / 2 };
        for (first, sampler, sampled) in [
            (0x00, half, true),
            (0x7f, half, true),
            (0x80, half, false),
            (0xff, half, false),
            (0xff, EVERY, true),
            (0x00, Sampler { share: 0, ..EVERY }, false),
        ] {
            let mut id = [0xff; 16];
            id[8] = first;
            let trace = Trace::begin(None, TraceId(id), SpanId([1; 8]), sampler);
            assert_eq!((trace.sampled, trace.parent), (sampled, None), "{first:x}");
            assert_eq!(trace.flags(), 2 | u8::from(sampled));
        }
    }

    #[test]
    fn a_parent_is_heeded_by_those_samplers_alone_that_say_so() {
        let parent = |flags: &str| read(&format!("00-{TRACE}-00f067aa0ba902b7-{flags}"), None);
        let always = Sampler { heeds_parent: false, ..EVERY };
        let never = Sampler { heeds_parent: false, share: 0 };
        assert!(begin(parent("00"), always).sampled && !begin(parent("01"), never).sampled);
        let by_parent = Sampler { share: 0, ..EVERY };
        assert!(begin(parent("01"), by_parent).sampled && !begin(parent("00"), EVERY).sampled);
    }
}
