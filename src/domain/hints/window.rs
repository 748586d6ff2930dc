//! The window of the limit that was hit, where an answer names it.

use crate::domain::outcome::{CooldownClass, Reason};

/// Longer windows are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Window {
    /// A minute or less.
    Minute,
    /// An hour.
    Hour,
    /// Ollama Cloud's five hours.
    Session,
    /// A day.
    Day,
    /// A week.
    Week,
    /// A month.
    Month,
}

/// Words in lower-case text. A bare "day" or "month" is none: it stands in every second advertisement.
const IN_TEXT: [(&str, Window); 35] = [
    ("(rpm)", Window::Minute),
    ("(tpm)", Window::Minute),
    ("per min", Window::Minute),
    ("per-min", Window::Minute),
    ("/ minute", Window::Minute),
    ("/min", Window::Minute),
    ("per second", Window::Minute),
    ("byminute", Window::Minute),
    ("perminute", Window::Minute),
    ("(rph)", Window::Hour),
    ("(tph)", Window::Hour),
    ("per hour", Window::Hour),
    ("per-hour", Window::Hour),
    ("/ hour", Window::Hour),
    ("hourly ", Window::Hour),
    ("(rpd)", Window::Day),
    ("(tpd)", Window::Day),
    ("per day", Window::Day),
    ("per-day", Window::Day),
    ("/day", Window::Day),
    ("/ day", Window::Day),
    ("byday", Window::Day),
    ("perday", Window::Day),
    ("daily ", Window::Day),
    ("today's quota", Window::Day),
    ("try again tomorrow", Window::Day),
    ("session usage", Window::Session),
    ("per week", Window::Week),
    ("/ week", Window::Week),
    ("weekly ", Window::Week),
    ("per month", Window::Month),
    ("per-month", Window::Month),
    ("/ month", Window::Month),
    ("/month", Window::Month),
    ("monthly ", Window::Month),
];

impl Window {
    /// The window that a lower-case text names first. What follows is often advertisement: "... 20 requests per minute.
    /// Add credits to unlock 1000 requests per day".
    #[must_use]
    pub fn in_text(text: &str) -> Option<Self> {
        let places = IN_TEXT.iter().filter_map(|(words, window)| Some((text.find(words)?, *window)));
        places.min_by_key(|(at, _)| *at).map(|(_, window)| window)
    }

    /// The window that a header name, or a machine code, ends in or holds as a word of its own.
    #[must_use]
    pub fn in_name(name: &str) -> Option<Self> {
        name.split(['-', '_', ' ']).filter_map(Self::word).max()
    }

    fn word(word: &str) -> Option<Self> {
        let is = |names: &[&str]| names.iter().any(|name| word.eq_ignore_ascii_case(name));
        Some(if is(&["minute", "second"]) {
            Self::Minute
        } else if is(&["hour", "hourly"]) {
            Self::Hour
        } else if is(&["day", "daily"]) {
            Self::Day
        } else if is(&["week", "weekly"]) {
            Self::Week
        } else if is(&["month", "monthly"]) {
            Self::Month
        } else {
            return None;
        })
    }

    /// A short window is a rate, a long one an allowance.
    #[must_use]
    pub fn reason(self) -> Reason {
        if self <= Self::Hour { Reason::RateLimit } else { Reason::Quota }
    }

    /// How long to wait when the window's end is unknown.
    #[must_use]
    pub fn class(self) -> CooldownClass {
        match self {
            Self::Minute => CooldownClass::Minute,
            // Rolling, so that a slot may return any minute: starts at a minute and doubles.
            Self::Hour => CooldownClass::Unknown429,
            Self::Session => CooldownClass::Session5h,
            Self::Day => CooldownClass::Day,
            Self::Week => CooldownClass::Week,
            Self::Month => CooldownClass::Month,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_window_of_a_text_counts() {
        for (text, window) in [
            ("on tokens per day (tpd): limit 200000", Some(Window::Day)),
            ("limited to 20 api calls / minute. upgrade for 1000 per day", Some(Window::Minute)),
            ("rate limit of 50 per 86400s exceeded for userbymodelbyday", Some(Window::Day)),
            ("have reached your weekly usage limit", Some(Window::Week)),
            ("free-models-per-day-high-balance", Some(Window::Day)),
            ("have a nice day", None),
        ] {
            assert_eq!(Window::in_text(text), window, "{text}");
        }
    }

    #[test]
    fn names_hold_windows_as_words() {
        assert_eq!(Window::in_name("x-ratelimit-remaining-tokens-per-minute"), Some(Window::Minute));
        assert_eq!(Window::in_name("X-RateLimitBySize-Remaining-Month"), Some(Window::Month));
        assert_eq!(Window::in_name("daily_quota_exceeded"), Some(Window::Day));
        assert_eq!(Window::in_name("x-ratelimit-remaining-requests"), None);
    }
}
