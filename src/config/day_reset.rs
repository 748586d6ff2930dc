//! `dayResetsAt`: when a day of a provider begins.

use garde::Error;
use jiff::tz::TimeZone;

use crate::domain::limits::DayReset;

const HELP: &str = "write rolling, \"00:00 UTC\" or \"00:00 America/Los_Angeles\"";

pub(super) fn check(text: &str, (): &()) -> garde::Result {
    parse(text).map(drop).map_err(|message| Error::new(format!("{message}\n{HELP}")))
}

/// Reads `rolling` or `HH:MM Zone`.
pub(super) fn parse(text: &str) -> Result<DayReset, &'static str> {
    if text == "rolling" {
        return Ok(DayReset::Rolling);
    }
    let (time, zone) = text.split_once(' ').ok_or("must be a time and a time zone, or `rolling`")?;
    let (hour, minute) = time.split_once(':').ok_or("must begin with a time like 00:00")?;
    let (hour, minute) = (two_digits(hour, 23)?, two_digits(minute, 59)?);
    let zone = zone.trim();
    match TimeZone::get(zone) {
        Ok(_) => Ok(DayReset::At { hour, minute, zone: zone.to_owned() }),
        Err(_) => Err("names a time zone that does not exist"),
    }
}

fn two_digits(text: &str, most: u8) -> Result<u8, &'static str> {
    let digits = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| digits && *number <= most);
    number.ok_or("must begin with a time from 00:00 to 23:59")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_a_local_time_or_rolls() {
        assert_eq!(parse("rolling"), Ok(DayReset::Rolling));
        let zone = "America/Los_Angeles".to_owned();
        assert_eq!(parse("00:00 America/Los_Angeles"), Ok(DayReset::At { hour: 0, minute: 0, zone }));
        assert_eq!(parse("8:30 UTC"), Ok(DayReset::At { hour: 8, minute: 30, zone: "UTC".to_owned() }));
        for bad in ["", "00:00", "24:00 UTC", "00:60 UTC", "00:00 Mars/Olympus", "midnight UTC", "0:+1 UTC", "Rolling"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
