//! Who may come in: keys are kept as SHA-256 digests and compared in constant time.

use std::fmt;

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use subtle::{ConditionallySelectable, ConstantTimeEq};

use crate::config::model::KeyDigest;

/// All keys that open a door.
#[derive(Clone)]
pub struct Keys {
    client: Vec<KeyDigest>,
    admin: Vec<KeyDigest>,
}

/// What a request's key opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visitor {
    /// The model API; which of the keys it is, counted from 1.
    Client(usize),
    /// State and settings.
    Admin,
    /// Nothing: the key is wrong.
    Stranger,
    /// Nothing: there is no key.
    Nobody,
}

impl Visitor {
    /// The label of a client's key; empty for others.
    #[must_use]
    pub fn label(self) -> String {
        match self {
            Self::Client(key) => format!("key-{key}"),
            _ => String::new(),
        }
    }
}

impl Keys {
    /// Doors for these keys.
    #[must_use]
    pub fn new(client: Vec<KeyDigest>, admin: Vec<KeyDigest>) -> Self {
        Self { client, admin }
    }

    /// Whose key a request carries: `Authorization: Bearer KEY`, or `x-api-key: KEY`.
    #[must_use]
    pub fn visitor(&self, headers: &HeaderMap) -> Visitor {
        let Some(key) = presented(headers) else { return Visitor::Nobody };
        let digest = KeyDigest::of(key);
        // Both lists are always looked through to the end: time tells nothing about where a key stands.
        match (among(&self.client, &digest), among(&self.admin, &digest)) {
            (Some(key), _) => Visitor::Client(key),
            (None, Some(_)) => Visitor::Admin,
            (None, None) => Visitor::Stranger,
        }
    }
}

impl Keys {
    /// Whether it is an admin's key. Takes as long for any key.
    #[must_use]
    pub fn is_admin(&self, key: &str) -> bool {
        among(&self.admin, &KeyDigest::of(key)).is_some()
    }
}

impl fmt::Debug for Keys {
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

/// The last of the keys that it is, counted from 1.
fn among(keys: &[KeyDigest], digest: &KeyDigest) -> Option<usize> {
    let found = keys
        .iter()
        .zip(1_u64..)
        .fold(0_u64, |found, (key, place)| u64::conditional_select(&found, &place, key.0.ct_eq(&digest.0)));
    usize::try_from(found).ok().filter(|place| *place > 0)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn visitor(headers: &[(&'static str, &'static str)]) -> Visitor {
        let keys =
            Keys::new(vec![KeyDigest::of("client-1"), KeyDigest::of("client-2")], vec![KeyDigest::of("admin-1")]);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        keys.visitor(&map)
    }

    #[test]
    fn every_key_opens_its_own_door() {
        assert_eq!(visitor(&[("authorization", "Bearer client-1")]), Visitor::Client(1));
        assert_eq!(visitor(&[("authorization", "bearer  client-2")]), Visitor::Client(2));
        assert_eq!(visitor(&[("x-api-key", "client-2")]), Visitor::Client(2));
        assert_eq!(visitor(&[("authorization", "Basic abc"), ("x-api-key", "admin-1")]), Visitor::Admin);
    }

    #[test]
    fn anything_else_stays_outside() {
        assert_eq!(visitor(&[]), Visitor::Nobody);
        assert_eq!(visitor(&[("authorization", "Bearer")]), Visitor::Nobody);
        assert_eq!(visitor(&[("authorization", "Bearer  ")]), Visitor::Nobody);
        assert_eq!(visitor(&[("authorization", "Bearer client-10")]), Visitor::Stranger);
        assert_eq!(visitor(&[("authorization", "client-1")]), Visitor::Nobody);
    }
}
