//! Durations in Go's notation, the way Groq prints them: `1m26.4s`, `547ms`, `0s`.

use std::time::Duration;

/// `span` in Go's notation, to the millisecond.
pub(crate) fn go(span: Duration) -> String {
    let millis = span.as_millis();
    if millis == 0 {
        return "0s".to_owned();
    }
    if millis < 1_000 {
        return format!("{millis}ms");
    }
    let (minutes, rest) = (millis / 60_000, millis % 60_000);
    let seconds = decimal(rest);
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{seconds}s"),
        (0, minutes) => format!("{minutes}m{seconds}s"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// Milliseconds as seconds without trailing zeros.
fn decimal(millis: u128) -> String {
    let text = format!("{}.{:03}", millis / 1_000, millis % 1_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_seen_at_groq_is_printed() {
        for (millis, text) in [
            (0, "0s"),
            (547, "547ms"),
            (1_000, "1s"),
            (7_660, "7.66s"),
            (86_400, "1m26.4s"),
            (60_000, "1m0s"),
            (179_560, "2m59.56s"),
            (39_744_000, "11h2m24s"),
            (86_400_000, "24h0m0s"),
        ] {
            assert_eq!(go(Duration::from_millis(millis)), text);
        }
    }
}
