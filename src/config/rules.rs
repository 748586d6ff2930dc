//! What a single value must be like. The messages say what is allowed and never repeat the value; a second line, if
//! there is one, is the help.
//!
//! Addresses and headers are read by the very parsers that will send them.

use std::net::IpAddr;

use actix_http::Uri;
use garde::{Error, Result};

use super::model::{Secret, UI_CLIENT};

const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;

/// Both ends are allowed.
pub(super) fn between(least: u64, most: u64) -> impl Fn(&u64, &()) -> Result {
    move |number, ()| ensure((least..=most).contains(number), || format!("must be from {least} to {most}"))
}

/// A timeout: no request waits longer than an hour.
pub(super) fn milliseconds(number: &u64, (): &()) -> Result {
    let most = 60 * MINUTE_MS;
    let message = || format!("must be from 1 to {most} milliseconds (an hour)\n30 seconds are written 30000");
    ensure((1..=most).contains(number), message)
}

/// A time that may be nothing at all.
pub(super) fn wait(number: &u64, (): &()) -> Result {
    ensure(*number <= DAY_MS, || format!("must be from 0 to {DAY_MS} milliseconds (a day)"))
}

pub(super) fn limit(number: &u64, (): &()) -> Result {
    ensure(*number > 0, || "must be at least 1\nleave the key out where there is no such limit".to_owned())
}

pub(super) fn tokens(number: &u64, (): &()) -> Result {
    ensure(*number > 0, || "must be at least 1".to_owned())
}

pub(super) fn non_empty(text: &str, (): &()) -> Result {
    ensure(!text.trim().is_empty(), || "must not be empty".to_owned())
}

/// Ids of providers and names of chains. Without `/`, so that neither can be mistaken for `provider/model`.
pub(super) fn handle(text: &str, (): &()) -> Result {
    let letters = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    // In an address `.` and `..` are no names.
    let fits = (1..=64).contains(&text.len()) && !matches!(text, "." | "..");
    ensure(fits && text.chars().all(letters), || {
        "must be 1 to 64 characters out of A-Z a-z 0-9 . _ -\n\
         clients write it in front of a `/` or as a model name; a free text for people goes into `name` of a provider"
            .to_owned()
    })
}

/// As the provider spells it, so nearly anything goes.
pub(super) fn model_name(text: &str, (): &()) -> Result {
    let fits = (1..=256).contains(&text.len()) && !text.contains(|letter: char| letter.is_control());
    ensure(fits && text.trim() == text, || "must be 1 to 256 characters, without spaces around them".to_owned())
}

pub(super) fn host(text: &str, (): &()) -> Result {
    let letters = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-');
    let is_name = !text.is_empty() && text.chars().all(letters);
    ensure(is_name || text.parse::<IpAddr>().is_ok(), || {
        "must be an address to listen on, without a port\n\
         127.0.0.1 for this machine only, 0.0.0.0 or :: for all networks; the port goes into settings.port"
            .to_owned()
    })
}

/// A key that clients present: plain, or the digest of one.
pub(super) fn client_key(key: &Secret, (): &()) -> Result {
    match key.expose().strip_prefix("sha256:") {
        Some(digest) => ensure(digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()), || {
            "`sha256:` must be followed by the 64 hex digits of a SHA-256\n\
             printf %s 'the key' | sha256sum"
                .to_owned()
        }),
        None => provider_key(key, &()),
    }
}

/// The variable of a text that is one elsewhere: `$NAME`, `os.environ/NAME`, `{{NAME}}`, `%NAME%`.
fn variable_meant(key: &str) -> Option<&str> {
    let between = |before, after| key.strip_prefix(before)?.strip_suffix(after).map(str::trim);
    let ways = [("$", ""), ("os.environ/", ""), ("{{", "}}"), ("%", "%")];
    let name = ways.into_iter().find_map(|(before, after)| between(before, after))?;
    let is_name = name.len() > 2 && name.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_'));
    is_name.then_some(name)
}

/// What the log says instead of a client's key.
pub(super) fn label(text: &str, (): &()) -> Result {
    let fits = (1..=64).contains(&text.chars().count()) && !text.contains(|letter: char| letter.is_control());
    ensure(fits && text.trim() == text, || "must be 1 to 64 characters, without spaces around them".to_owned())?;
    ensure(text != UI_CLIENT, || format!("`{UI_CLIENT}` is what requests of the admin pages are labelled"))
}

pub(super) fn price(dollars: &f64, (): &()) -> Result {
    ensure((0.0..=1_000_000.0).contains(dollars), || {
        "must be from 0 to 1000000 US dollars per million tokens".to_owned()
    })
}

/// A key travels in a header, where spaces and line breaks end it, and anything but ASCII is ambiguous.
pub(super) fn provider_key(key: &Secret, (): &()) -> Result {
    let key = key.expose();
    if key.is_empty() {
        return Err(Error::new("this key is empty\nput the key here, or remove the item"));
    }
    if let Some(name) = variable_meant(key) {
        return Err(Error::new(format!(
            "this names a variable as other programs write it, and is no key\nwrite `${{{name}}}` to have the value of that \
             variable"
        )));
    }
    ensure(key.len() <= 4_096 && key.bytes().all(|byte| byte.is_ascii_graphic()), || {
        "a key must be ASCII letters, digits and signs, without spaces or line breaks\ncheck how it was copied"
            .to_owned()
    })
}

/// What `{base}/chat/completions` can be appended to. Without credentials: an address is shown in logs and pages.
pub(super) fn base_url(text: &str, (): &()) -> Result {
    const EXAMPLE: &str = "write it like https://api.example.com/v1";
    let refuse = |message: &str| Err(Error::new(format!("{message}\n{EXAMPLE}")));
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    if !matches!(scheme.as_deref(), Some("http" | "https")) {
        return refuse("must begin with http:// or https://");
    }
    let Ok(address) = text.parse::<Uri>() else { return refuse("is not a valid address") };
    let Some(authority) = address.authority() else { return refuse("names no host") };
    if authority.as_str().contains('@') {
        return refuse("must not hold a user name or password");
    }
    let after_host = authority.as_str().get(authority.host().len()..).unwrap_or_default();
    if authority.host().is_empty() || !(after_host.is_empty() || authority.port_u16().is_some_and(|port| port > 0)) {
        return refuse("names no host, or a port that does not exist");
    }
    if text.contains(['?', '#']) {
        return refuse("must not hold a `?` or `#` part");
    }
    if address.path().trim_end_matches('/').ends_with("/chat/completions") {
        return refuse("must end before /chat/completions, which is added to it");
    }
    Ok(())
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result {
    if holds { Ok(()) } else { Err(Error::new(otherwise())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o23_base_urls_are_http_or_https_with_a_host_and_nothing_that_leaks() {
        for good in [
            "https://api.groq.com/openai/v1",
            "http://localhost:11434/v1/",
            "http://127.0.0.1:8080",
            "http://[::1]:8080/v1",
            "HTTPS://api.example.com",
        ] {
            assert!(base_url(good, &()).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("file:///etc/passwd", "must begin with http"),
            ("ftp://host/", "must begin with http"),
            ("api.groq.com/openai/v1", "must begin with http"),
            ("", "must begin with http"),
            ("https://", "is not a valid"),
            ("https:///v1", "is not a valid"),
            ("https://a b/", "is not a valid"),
            ("https://user:hunter2@host/v1", "user name or password"),
            ("https://host:99999/v1", "names no host, or a port"),
            ("https://host:/v1", "names no host, or a port"),
            ("https://host/v1?key=hunter2", "must not hold a `?`"),
            ("https://host/v1#x", "must not hold a `?`"),
            ("https://host/v1/chat/completions", "must end before"),
        ] {
            let message = base_url(bad, &()).unwrap_err().to_string();
            assert!(message.contains(why), "{bad}: {message}");
            assert!(!message.contains("hunter2"), "{bad}: {message}");
        }
    }

    #[test]
    fn names_cannot_be_mistaken_for_entries() {
        for good in ["groq", "a", "Groq_2.free-tier", &"x".repeat(64)] {
            assert!(handle(good, &()).is_ok(), "{good}");
        }
        for bad in ["", "a/b", "a b", "ü", "a:b", &"x".repeat(65)] {
            assert!(handle(bad, &()).is_err(), "{bad}");
        }
    }

    #[test]
    fn keys_are_what_a_header_can_carry_or_a_digest() {
        let digest = format!("sha256:{}", "0aF".repeat(22).get(..64).unwrap());
        for good in ["sk-429-abc", &digest] {
            assert!(client_key(&Secret::new(good), &()).is_ok(), "{good}");
        }
        for bad in ["", " ", "a b", "key\n", "schlüssel", "sha256:", "sha256:abc"] {
            assert!(client_key(&Secret::new(bad), &()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn hosts_are_names_or_addresses_without_a_port() {
        for good in ["127.0.0.1", "::", "::1", "localhost", "proxy.example.com"] {
            assert!(host(good, &()).is_ok(), "{good}");
        }
        for bad in ["", "127.0.0.1:3429", "http://localhost", "a b", "*"] {
            assert!(host(bad, &()).is_err(), "{bad}");
        }
    }
}
