//! Who may come in: keys are kept as SHA-256 digests and compared in constant time.

use std::fmt;

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use subtle::{ConditionallySelectable, ConstantTimeEq};

use crate::config::live::Active;
use crate::config::model::{ClientKey, KeyDigest};

/// All keys that open a door.
#[derive(Clone, Copy)]
pub struct Keys<'a> {
    client: &'a [ClientKey],
    admin: &'a [KeyDigest],
}

/// What a request's key opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visitor {
    /// The model API; which of the keys it is, counted from 0.
    Client(usize),
    /// State and settings.
    Admin,
    /// Nothing: the key is wrong.
    Stranger,
    /// Nothing: there is no key.
    Nobody,
}

impl<'a> Keys<'a> {
    /// Doors for these keys.
    #[must_use]
    pub fn new(client: &'a [ClientKey], admin: &'a [KeyDigest]) -> Self {
        Self { client, admin }
    }

    /// The doors of a configuration in use.
    #[must_use]
    pub fn of(active: &'a Active) -> Self {
        Self::new(&active.config.settings.api_keys, &active.admin_keys)
    }

    /// Whose key a request carries: `Authorization: Bearer KEY`, or `x-api-key: KEY`.
    #[must_use]
    pub fn visitor(&self, headers: &HeaderMap) -> Visitor {
        let Some(key) = presented(headers) else { return Visitor::Nobody };
        let digest = KeyDigest::of(key);
        // Both lists are always looked through to the end: time tells nothing about where a key stands.
        let client = among(self.client.iter().map(|key| &key.digest), &digest);
        match (client, among(self.admin, &digest)) {
            (Some(key), _) => Visitor::Client(key),
            (None, Some(_)) => Visitor::Admin,
            (None, None) => Visitor::Stranger,
        }
    }

    /// Whether it is an admin's key. Takes as long for any key.
    #[must_use]
    pub fn is_admin(&self, key: &str) -> bool {
        among(self.admin, &KeyDigest::of(key)).is_some()
    }

    /// What the log calls a visitor: the label of a client's key; an admin and a stranger have none.
    #[must_use]
    pub fn label(&self, visitor: Visitor) -> &'a str {
        match visitor {
            Visitor::Client(key) => self.client.get(key).map_or("", |key| &key.label),
            _ => "",
        }
    }
}

impl fmt::Debug for Keys<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({} client, {} admin)", self.client.len(), self.admin.len())
    }
}

fn presented(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| {
        let (scheme, key) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    });
    let api_key = || headers.get("x-api-key").and_then(|value| value.to_str().ok()).map(str::trim);
    bearer.or_else(api_key).filter(|key| !key.is_empty())
}

/// The last of the keys that it is, counted from 0.
fn among<'a>(keys: impl IntoIterator<Item = &'a KeyDigest>, digest: &KeyDigest) -> Option<usize> {
    let found = keys
        .into_iter()
        .zip(1_u64..)
        .fold(0_u64, |found, (key, place)| u64::conditional_select(&found, &place, key.0.ct_eq(&digest.0)));
    usize::try_from(found).ok()?.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn visitor(headers: &[(&'static str, &'static str)]) -> (Visitor, String) {
        let client = |label: &str, key| ClientKey { label: label.to_owned(), digest: KeyDigest::of(key) };
        let clients = [client("laptop", "client-1"), client("key-2", "client-2")];
        let admin = [KeyDigest::of("admin-1")];
        let keys = Keys::new(&clients, &admin);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let visitor = keys.visitor(&map);
        (visitor, keys.label(visitor).to_owned())
    }

    #[test]
    fn every_key_opens_its_own_door() {
        assert_eq!(visitor(&[("authorization", "Bearer client-1")]), (Visitor::Client(0), "laptop".to_owned()));
        assert_eq!(visitor(&[("authorization", "bearer  client-2")]), (Visitor::Client(1), "key-2".to_owned()));
        assert_eq!(visitor(&[("x-api-key", "client-2")]), (Visitor::Client(1), "key-2".to_owned()));
        assert_eq!(
            visitor(&[("authorization", "Basic abc"), ("x-api-key", "admin-1")]),
            (Visitor::Admin, String::new())
        );
    }

    #[test]
    fn anything_else_stays_outside() {
        assert_eq!(visitor(&[]), (Visitor::Nobody, String::new()));
        assert_eq!(visitor(&[("authorization", "Bearer")]), (Visitor::Nobody, String::new()));
        assert_eq!(visitor(&[("authorization", "Bearer  ")]), (Visitor::Nobody, String::new()));
        assert_eq!(visitor(&[("authorization", "Bearer client-10")]), (Visitor::Stranger, String::new()));
        assert_eq!(visitor(&[("authorization", "client-1")]), (Visitor::Nobody, String::new()));
    }
}
