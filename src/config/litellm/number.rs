//! Numbers as LiteLLM writes them. What is none is said, as a limit that is missing would not be noticed.

use std::time::Duration;

use super::super::edit::Value;
use super::notes::Notes;

/// No request waits longer here.
pub(super) const AN_HOUR: u64 = 3_600_000;
/// No entry rests longer here without being told to.
pub(super) const A_DAY: u64 = 86_400_000;

/// A whole number above zero.
pub(super) fn whole(settings: &Value, key: &str, of: &str, notes: &mut Notes) -> Option<u64> {
    // As YAML 1.1 has it: 100_000.
    let read = |text: &str| text.replace('_', "").parse::<u64>().ok().filter(|number| *number > 0);
    number(settings, key, of, "a whole number above 0", read, notes)
}

/// Seconds, as milliseconds.
pub(super) fn millis(settings: &Value, key: &str, of: &str, most: u64, notes: &mut Notes) -> Option<u64> {
    let read = |text: &str| {
        let seconds = text.replace('_', "").parse::<f64>().ok().filter(|seconds| seconds.is_finite())?;
        let time = Duration::try_from_secs_f64(seconds).map_or(u128::from(most) + 1, |time| time.as_millis());
        (seconds > 0.0 && time > 0).then(|| u64::try_from(time).unwrap_or(u64::MAX))
    };
    let time = number(settings, key, of, "a number of seconds above 0", read, notes)?;
    if time > most {
        notes.say(of, format!("`{key}` is set to {} seconds, which is the most here", most / 1_000));
    }
    Some(time.min(most))
}

fn number(
    settings: &Value,
    key: &str,
    of: &str,
    kind: &str,
    read: impl Fn(&str) -> Option<u64>,
    notes: &mut Notes,
) -> Option<u64> {
    let value = settings.get(key).filter(|value| **value != Value::Null)?;
    let number = value.as_text().and_then(read);
    if number.is_none() {
        let text = value.as_text().unwrap_or("...");
        let shown: String = text.chars().take(24).collect();
        notes.say(of, format!("`{key}: {shown}` is not {kind}, so it was left out"));
    }
    number
}
