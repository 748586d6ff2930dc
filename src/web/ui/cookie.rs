//! Cookies of the UI: read from a request, and written for a browser.

use std::time::Duration;

use actix_web::http::header::{COOKIE, HeaderMap};

/// The value of a cookie.
pub(super) fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// A cookie that scripts do not see, for pages of the UI only. Over HTTPS it is sent over nothing else.
pub(super) fn hidden(name: &str, value: &str, lasts: Duration, headers: &HeaderMap) -> String {
    let seconds = lasts.as_secs();
    let secure = if is_https(headers) { "; Secure" } else { "" };
    format!("{name}={value}; Path=/ui; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}")
}

/// Whether the browser came over HTTPS, as the proxy in front says. Whoever lies about it locks out only itself.
pub(super) fn is_https(headers: &HeaderMap) -> bool {
    headers.get("x-forwarded-proto").is_some_and(|proto| proto.as_bytes().eq_ignore_ascii_case(b"https"))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; sid=abc;theme=dark"));
        headers.append(COOKIE, HeaderValue::from_static("b=2"));
        for (name, value) in
            [("a", Some("1")), ("sid", Some("abc")), ("theme", Some("dark")), ("b", Some("2")), ("id", None)]
        {
            assert_eq!(read(&headers, name), value, "{name}");
        }
        assert!(!hidden("sid", "x", Duration::ZERO, &headers).contains("Secure"));
        headers.append("x-forwarded-proto".parse().unwrap(), HeaderValue::from_static("https"));
        assert!(hidden("sid", "x", Duration::ZERO, &headers).ends_with("Max-Age=0; Secure"));
    }
}
