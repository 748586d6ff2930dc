//! Who is logged in. Sessions live here and nowhere else: a restart ends them all.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ring::error::Unspecified;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use crate::config::model::KeyDigest;
use crate::domain::time::Mono;

/// A session ends when nothing was asked for so long.
pub(super) const IDLE: Duration = Duration::from_secs(12 * 3_600);

/// More sessions than that are not kept: the one that was used the longest ago gives way.
const MOST: usize = 64;

/// All sessions, by the digest of their secret: looking one up takes no time that tells about it.
pub(super) struct Sessions {
    key: hmac::Key,
    open: Mutex<BTreeMap<Id, Mono>>,
}

/// Which session.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id([u8; 32]);

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Id(***)")
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sessions({})", self.open().len())
    }
}

impl Sessions {
    pub(super) fn new() -> Result<Self, Unspecified> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())?;
        Ok(Self { key, open: Mutex::default() })
    }

    /// Opens a session; its secret, for the cookie.
    pub(super) fn begin(&self, now: Mono) -> Result<String, Unspecified> {
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes)?;
        let secret = hex(&bytes);
        let mut open = self.open();
        open.retain(|_, used| now.since(*used) < IDLE);
        if open.len() >= MOST
            && let Some(oldest) = open.iter().min_by_key(|(_, used)| **used).map(|(id, _)| *id)
        {
            open.remove(&oldest);
        }
        open.insert(id_of(&secret), now);
        Ok(secret)
    }

    /// The session of this secret, if it is one. It lives on from now.
    pub(super) fn find(&self, secret: &str, now: Mono) -> Option<Id> {
        let id = id_of(secret);
        let mut open = self.open();
        let used = open.get_mut(&id)?;
        if now.since(*used) >= IDLE {
            open.remove(&id);
            return None;
        }
        *used = now;
        Some(id)
    }

    /// Makes a session live on from now, if it is still open; whether it is.
    pub(super) fn renew(&self, id: Id, now: Mono) -> bool {
        let mut open = self.open();
        match open.get_mut(&id) {
            Some(used) if now.since(*used) < IDLE => {
                *used = now;
                true
            }
            _ => false,
        }
    }

    /// Ends a session.
    pub(super) fn end(&self, id: Id) {
        self.open().remove(&id);
    }

    /// Ends all sessions but this one.
    pub(super) fn end_others(&self, id: Id) {
        self.open().retain(|open, _| *open == id);
    }

    /// What proves that a form comes from a page of this session.
    pub(super) fn token(&self, id: Id) -> String {
        hex(hmac::sign(&self.key, &id.0).as_ref())
    }

    /// Whether it is that. Compared in constant time.
    pub(super) fn accepts(&self, id: Id, token: &str) -> bool {
        let mut bytes = [0; 32];
        unhex(token, &mut bytes) && hmac::verify(&self.key, &id.0, &bytes).is_ok()
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<Id, Mono>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn id_of(secret: &str) -> Id {
    Id(KeyDigest::of(secret).0)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str, bytes: &mut [u8; 32]) -> bool {
    text.len() == 64
        && text.is_ascii()
        && bytes.iter_mut().enumerate().all(|(at, byte)| {
            let digits = text.get(at * 2..at * 2 + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
            digits.map(|found| *byte = found).is_some()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Mono = Mono(1_000_000);

    #[test]
    fn a_session_lives_as_long_as_it_is_used() {
        let sessions = Sessions::new().unwrap();
        let secret = sessions.begin(NOW).unwrap();
        let almost = IDLE - Duration::from_millis(1);
        let id = sessions.find(&secret, NOW.after(almost)).unwrap();
        assert!(sessions.renew(id, NOW.after(almost * 2)));
        assert!(sessions.renew(id, NOW.after(almost * 3)));
        assert!(!sessions.renew(id, NOW.after(almost * 3 + IDLE)));
        assert!(sessions.find(&secret, NOW.after(almost * 3 + IDLE)).is_none());
        assert!(sessions.find("", NOW).is_none());
    }

    #[test]
    fn a_session_that_has_ended_is_none() {
        let sessions = Sessions::new().unwrap();
        let secret = sessions.begin(NOW).unwrap();
        let id = sessions.find(&secret, NOW).unwrap();
        sessions.end(id);
        assert!(sessions.find(&secret, NOW).is_none() && !sessions.renew(id, NOW));
    }

    #[test]
    fn all_others_can_be_ended() {
        let sessions = Sessions::new().unwrap();
        let secrets: Vec<String> = (0..3).map(|_| sessions.begin(NOW).unwrap()).collect();
        let id = sessions.find(&secrets[1], NOW).unwrap();
        sessions.end_others(id);
        let open = secrets.iter().map(|secret| sessions.find(secret, NOW).is_some());
        assert_eq!(open.collect::<Vec<_>>(), [false, true, false]);
    }

    #[test]
    fn only_so_many_are_kept() {
        let sessions = Sessions::new().unwrap();
        let secrets: Vec<String> = (0..=MOST as u64).map(|at| sessions.begin(Mono(NOW.0 + at)).unwrap()).collect();
        assert!(sessions.find(&secrets[0], NOW).is_none());
        assert!(secrets[1..].iter().all(|secret| sessions.find(secret, NOW).is_some()));
    }

    #[test]
    fn a_token_is_good_for_its_session_only() {
        let sessions = Sessions::new().unwrap();
        let ids: Vec<Id> = (0..2).map(|_| sessions.find(&sessions.begin(NOW).unwrap(), NOW).unwrap()).collect();
        let token = sessions.token(ids[0]);
        assert!(sessions.accepts(ids[0], &token) && !sessions.accepts(ids[1], &token));
        for wrong in ["", "0", &token[1..], &token.replace(|_: char| true, "0"), "ä".repeat(32).as_str()] {
            assert!(!sessions.accepts(ids[0], wrong), "{wrong}");
        }
        assert_ne!(token, Sessions::new().unwrap().token(ids[0]));
    }
}
