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
    open: Mutex<BTreeMap<Id, Session>>,
}

#[derive(Clone, Copy)]
struct Session {
    /// When it was used last.
    used: Mono,
    /// The admin key that it goes by: it counts for as long as the key does.
    by: KeyDigest,
}

impl Session {
    fn counts(&self, now: Mono, keys: &[KeyDigest]) -> bool {
        now.since(self.used) < IDLE && keys.contains(&self.by)
    }
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

    /// Opens a session for whoever has this admin key; its secret, for the cookie.
    pub(super) fn begin(&self, by: KeyDigest, now: Mono) -> Result<String, Unspecified> {
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes)?;
        let secret = hex(&bytes);
        let mut open = self.open();
        open.retain(|_, session| now.since(session.used) < IDLE);
        if open.len() >= MOST
            && let Some(oldest) = open.iter().min_by_key(|(_, session)| session.used).map(|(id, _)| *id)
        {
            open.remove(&oldest);
        }
        open.insert(id_of(&secret), Session { used: now, by });
        Ok(secret)
    }

    /// The session of this secret, if it is one while these admin keys count. It lives on from now.
    pub(super) fn find(&self, secret: &str, now: Mono, keys: &[KeyDigest]) -> Option<Id> {
        let id = id_of(secret);
        self.renew(id, now, keys).then_some(id)
    }

    /// Makes a session live on from now, if it is still open while these admin keys count; whether it is.
    pub(super) fn renew(&self, id: Id, now: Mono, keys: &[KeyDigest]) -> bool {
        let mut open = self.open();
        let Some(session) = open.get_mut(&id) else { return false };
        let counts = session.counts(now, keys);
        match counts {
            true => session.used = now,
            // Should its key ever come back, it stays ended.
            false => drop(open.remove(&id)),
        }
        counts
    }

    /// Ends a session.
    pub(super) fn end(&self, id: Id) {
        self.open().remove(&id);
    }

    /// Ends all sessions but this one, which has put other admin keys in the place of those that counted. It goes on by
    /// its own if that is still among them, else by another, even if somebody has looked at it meanwhile.
    pub(super) fn keep_only(&self, id: Id, now: Mono, keys: &[KeyDigest]) {
        let mut open = self.open();
        let own = open.get(&id).map(|session| session.by).filter(|by| keys.contains(by));
        open.clear();
        if let Some(by) = own.or_else(|| keys.first().copied()) {
            open.insert(id, Session { used: now, by });
        }
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

    fn open(&self) -> MutexGuard<'_, BTreeMap<Id, Session>> {
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
    const KEYS: [KeyDigest; 2] = [KeyDigest([1; 32]), KeyDigest([2; 32])];

    #[test]
    fn a_session_lives_as_long_as_it_is_used() {
        let sessions = Sessions::new().unwrap();
        let secret = sessions.begin(KEYS[1], NOW).unwrap();
        let almost = IDLE - Duration::from_millis(1);
        let id = sessions.find(&secret, NOW.after(almost), &KEYS).unwrap();
        assert!(sessions.renew(id, NOW.after(almost * 2), &KEYS));
        assert!(sessions.renew(id, NOW.after(almost * 3), &KEYS));
        assert!(!sessions.renew(id, NOW.after(almost * 3 + IDLE), &KEYS));
        assert!(sessions.find(&secret, NOW.after(almost * 3 + IDLE), &KEYS).is_none());
        assert!(sessions.find("", NOW, &KEYS).is_none());
    }

    #[test]
    fn a_session_that_has_ended_is_none() {
        let sessions = Sessions::new().unwrap();
        let secret = sessions.begin(KEYS[1], NOW).unwrap();
        let id = sessions.find(&secret, NOW, &KEYS).unwrap();
        sessions.end(id);
        assert!(sessions.find(&secret, NOW, &KEYS).is_none() && !sessions.renew(id, NOW, &KEYS));
    }

    #[test]
    fn all_others_can_be_ended() {
        let sessions = Sessions::new().unwrap();
        let secrets: Vec<String> = (0..3).map(|_| sessions.begin(KEYS[1], NOW).unwrap()).collect();
        let id = sessions.find(&secrets[1], NOW, &KEYS).unwrap();
        sessions.keep_only(id, NOW, &KEYS);
        let open = secrets.iter().map(|secret| sessions.find(secret, NOW, &KEYS).is_some());
        assert_eq!(open.collect::<Vec<_>>(), [false, true, false]);
    }

    #[test]
    fn a_session_counts_for_as_long_as_its_key_does() {
        let sessions = Sessions::new().unwrap();
        let secret = sessions.begin(KEYS[0], NOW).unwrap();
        let id = sessions.find(&secret, NOW, &KEYS[..1]).unwrap();
        assert!(sessions.find(&secret, NOW, &KEYS[1..]).is_none());
        assert!(sessions.find(&secret, NOW, &KEYS).is_none(), "it stays ended");
        sessions.keep_only(id, NOW, &KEYS[1..]);
        assert!(sessions.renew(id, NOW, &KEYS[1..]), "it has made that key");
        sessions.keep_only(id, NOW, &KEYS);
        assert!(sessions.find(&secret, NOW, &KEYS[1..]).is_some(), "its own key still counts");
    }

    #[test]
    fn only_so_many_are_kept() {
        let sessions = Sessions::new().unwrap();
        let secrets: Vec<String> =
            (0..=MOST as u64).map(|at| sessions.begin(KEYS[1], Mono(NOW.0 + at)).unwrap()).collect();
        assert!(sessions.find(&secrets[0], NOW, &KEYS).is_none());
        assert!(secrets[1..].iter().all(|secret| sessions.find(secret, NOW, &KEYS).is_some()));
    }

    #[test]
    fn a_token_is_good_for_its_session_only() {
        let sessions = Sessions::new().unwrap();
        let ids: Vec<Id> =
            (0..2).map(|_| sessions.find(&sessions.begin(KEYS[1], NOW).unwrap(), NOW, &KEYS).unwrap()).collect();
        let token = sessions.token(ids[0]);
        assert!(sessions.accepts(ids[0], &token) && !sessions.accepts(ids[1], &token));
        for wrong in ["", "0", &token[1..], &token.replace(|_: char| true, "0"), "ä".repeat(32).as_str()] {
            assert!(!sessions.accepts(ids[0], wrong), "{wrong}");
        }
        assert_ne!(token, Sessions::new().unwrap().token(ids[0]));
    }
}
