//! How a log line is spelled as text, where there are many of them.
//!
//! Each request is a line. What `tracing_subscriber` has for it formats every value by way of `Debug` and every time from
//! the year on, which takes as long as all decisions about the request together.

use std::cell::RefCell;
use std::fmt::{self, Debug};
use std::time::{SystemTime, UNIX_EPOCH};

use tracing::field::{Field, Visit};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

use crate::domain::time::Wall;

/// `name=value`, with text in quotes; the message stands for itself.
pub(super) struct Plain;

impl<'writer> FormatFields<'writer> for Plain {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut line = Line { writer, begun: false, result: Ok(()) };
        fields.record(&mut line);
        line.result
    }
}

struct Line<'writer> {
    writer: Writer<'writer>,
    begun: bool,
    result: fmt::Result,
}

impl Line<'_> {
    fn put(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        if self.result.is_ok() {
            self.result = self.name(field).and_then(|()| value(&mut self.writer));
        }
    }

    fn name(&mut self, field: &Field) -> fmt::Result {
        if std::mem::replace(&mut self.begun, true) {
            self.writer.write_char(' ')?;
        }
        match field.name() {
            "message" => Ok(()),
            name => {
                self.writer.write_str(name)?;
                self.writer.write_char('=')
            }
        }
    }
}

impl Visit for Line<'_> {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, |writer| {
            // One digit is what counts of attempts have, and most durations few more.
            match u8::try_from(value) {
                Ok(digit @ 0..=9) => writer.write_char(char::from(b'0' + digit)),
                _ => write!(writer, "{value}"),
            }
        });
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, |writer| writer.write_str(if value { "true" } else { "false" }));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, |writer| write!(writer, "{value:?}"));
    }
}

/// The time in UTC, to the microsecond.
pub(super) struct Time;

thread_local! {
    /// The last second that was spelled: since the Unix epoch, and up to the point.
    static SECOND: RefCell<(u64, String)> = const { RefCell::new((u64::MAX, String::new())) };
}

impl FormatTime for Time {
    #[allow(
        clippy::disallowed_methods,
        reason = "a line tells when it was written, whatever clock its request goes by"
    )]
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let age = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        SECOND.with_borrow_mut(|(second, text)| {
            if *second != age.as_secs() {
                *second = age.as_secs();
                *text = Wall(second.saturating_mul(1_000)).to_string();
                text.truncate(text.find('.').unwrap_or(text.len()));
            }
            writer.write_str(text)
        })?;
        let micros = age.subsec_micros();
        let digits = [100_000, 10_000, 1_000, 100, 10, 1].map(|unit| b'0' + (micros / unit % 10) as u8);
        writer.write_char('.')?;
        writer.write_str(std::str::from_utf8(&digits).unwrap_or_default())?;
        writer.write_char('Z')
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt::time::SystemTime as Usual;
    use tracing_subscriber::fmt::{self, MakeWriter};
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl<'a> MakeWriter<'a> for Kept {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    impl std::io::Write for Kept {
        fn write(&mut self, part: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(part);
            Ok(part.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn lines(work: impl FnOnce()) -> String {
        let kept = Kept::default();
        let layer = fmt::layer().with_writer(kept.clone()).with_target(false).with_ansi(false);
        let layer = layer.with_timer(Time).fmt_fields(Plain);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
        String::from_utf8(kept.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn every_value_is_spelled_as_it_always_was() {
        let text = lines(|| {
            tracing::info!(
                request.id = %"req_1",
                quoted = "a \"b\"",
                none = None::<u64>,
                small = 7_u64,
                large = u64::MAX,
                signed = -3,
                float = 0.5,
                yes = true,
                no = false,
                what = ?Some(1),
                "said {}",
                "so"
            );
            tracing::warn!("alone");
        });
        let ends: Vec<&str> = text.lines().map(|line| line.split_once('Z').unwrap().1).collect();
        let first = concat!(
            r#"  INFO said so request.id=req_1 quoted="a \"b\"" small=7 large=18446744073709551615 signed=-3 "#,
            "float=0.5 yes=true no=false what=Some(1)"
        );
        assert_eq!(ends, [first, "  WARN alone"]);
    }

    /// Against what `tracing_subscriber` makes of the same time; the two read the clock one after the other.
    #[test]
    fn times_are_those_of_the_clock() {
        let spelled = |time: &dyn FormatTime| {
            let mut text = String::new();
            time.format_time(&mut Writer::new(&mut text)).unwrap();
            text
        };
        for _ in 0..1_000 {
            let (before, ours, after) = (spelled(&Usual), spelled(&Time), spelled(&Usual));
            assert!(before <= ours && ours <= after, "{before} {ours} {after}");
            assert_eq!(ours.len(), "2026-11-26T05:42:45.057674Z".len(), "{ours}");
        }
    }
}
