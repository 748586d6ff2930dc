//! How a log line is spelled as text, where there are many of them.
//!
//! Each request is a line. What `tracing_subscriber` has for it formats every value by way of `Debug` and every time from
//! the year on, which takes as long as all decisions about the request together.

use std::cell::RefCell;
use std::fmt::{self, Debug};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
        self.put(field, |writer| write!(writer, "{value}"));
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
        spell(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(), writer)
    }
}

/// A time so long after the Unix epoch.
fn spell(age: Duration, writer: &mut Writer<'_>) -> fmt::Result {
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::field::MakeExt;
    use tracing_subscriber::fmt::{self, MakeWriter, format};
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

    /// What a line says behind its time.
    fn lines<F>(fields: F, work: impl FnOnce()) -> String
    where
        F: for<'writer> FormatFields<'writer> + Send + Sync + 'static,
    {
        let kept = Kept::default();
        let layer = fmt::layer().with_writer(kept.clone()).with_target(false).with_ansi(false);
        let layer = layer.without_time().fmt_fields(fields);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
        String::from_utf8(kept.0.lock().unwrap().clone()).unwrap()
    }

    fn many_lines() {
        let cut = std::io::Error::other("cut off");
        let of_error: &(dyn std::error::Error + 'static) = &cut;
        tracing::info!(
            request.id = %"req_1",
            quoted = "a \"b\"\n\u{1b}[31m",
            raw = %"two words",
            none = None::<u64>,
            some = Some(4_u64),
            nine = 9_u64,
            ten = 10_u64,
            large = u64::MAX,
            signed = -3,
            huge = i128::MIN,
            float = 0.5,
            yes = true,
            no = false,
            what = ?Some(1),
            of_error,
            "said {}",
            "so"
        );
        tracing::warn!("alone");
        tracing::error!(only = 1);
        tracing::info_span!("around", id = 7).in_scope(|| tracing::info!(within = true, "a span"));
    }

    /// The lines that `tracing_subscriber` made with each value spelled by `Debug`, which people may read by script.
    #[test]
    fn every_value_is_spelled_as_it_always_was() {
        let usual = format::debug_fn(|writer, field, value| match field.name() {
            "message" => write!(writer, "{value:?}"),
            name => write!(writer, "{name}={value:?}"),
        });
        let ours = lines(Plain, many_lines);
        assert_eq!(ours, lines(usual.delimited(" "), many_lines));
        let begins =
            r#" INFO said so request.id=req_1 quoted="a \"b\"\n\u{1b}[31m" raw=two words some=4 nine=9 ten=10 "#;
        assert!(ours.starts_with(begins) && ours.lines().count() == 4, "{ours}");
    }

    #[test]
    fn times_are_told_to_the_microsecond() {
        for (secs, micros, text) in [
            (0, 0, "1970-01-01T00:00:00.000000Z"),
            (1_795_671_765, 57_674, "2026-11-26T05:42:45.057674Z"),
            (1_795_671_765, 999_999, "2026-11-26T05:42:45.999999Z"),
            (1_795_671_766, 1, "2026-11-26T05:42:46.000001Z"),
            (951_825_599, 120_003, "2000-02-29T11:59:59.120003Z"),
        ] {
            let mut spelled = String::new();
            spell(Duration::from_secs(secs) + Duration::from_micros(micros), &mut Writer::new(&mut spelled)).unwrap();
            assert_eq!(spelled, text);
        }
    }
}
