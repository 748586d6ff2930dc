//! How fast an entry is called whose limits nobody has told.
//!
//! Sixty-four clients that meet a fresh key would all be sent on, and all but the first few be refused. So calls begin
//! with a few at a time, and with each answer there may be more. When a refusal comes, what was served since the last
//! one is what the window holds, roughly: the next time as many go through at once, and behind them one at a time, until
//! the next refusal. That costs one refusal a window, and finds a limit that has risen.
//!
//! A cooldown whose length was guessed may have been too short. One call goes first then.

use serde::{Deserialize, Serialize};

use super::bucket::log::Log;
use super::time::Mono;

/// Calls without an answer at the start.
const FIRST: u32 = 4;

/// A limiter refuses at once. Silence of this many milliseconds means that calls are being worked on.
const SILENCE: u64 = 2_000;

/// What was served longer ago than this many milliseconds says nothing about a window.
const RECENT: u64 = 60_000;

/// The pace of calls to one entry through one key.
#[derive(Clone, Debug)]
pub struct Pace {
    /// Calls that nothing has been heard of.
    unheard: u32,
    /// When something was last heard, or the first of those calls was made.
    since: Mono,
    /// How many calls may be unheard of, beyond what is known to be served.
    room: u32,
    /// Answers that are missing until there may be one more.
    short: u32,
    /// Good answers since the last refusal.
    served: Log,
    /// How many were served before the last refusal.
    learnt: Option<u64>,
    /// When the last refusal came.
    refused: Option<Mono>,
    probing: Option<Patience>,
}

/// What refusals have shown, as it is kept over a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learnt {
    /// How many were served before the last refusal.
    burst: u64,
    /// How many since.
    served: u64,
}

/// How long a single first call is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Patience {
    /// Until silence means that it was not refused.
    Short,
    /// Until it has an answer: silence is what was wrong the last time.
    Long,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            unheard: 0,
            since: Mono(0),
            room: FIRST,
            short: 0,
            served: Log::new(RECENT),
            learnt: None,
            refused: None,
            probing: None,
        }
    }
}

impl Pace {
    /// Whether one more call may be made now. `free` says that there is no need to hold calls back here: a limit of
    /// requests is known, or nobody else can be asked and nobody may wait.
    ///
    /// # Errors
    /// When silence will mean consent; `None` if only an answer helps.
    pub fn check(&self, free: bool, now: Mono) -> Result<(), Option<Mono>> {
        let consent = Mono(self.since.0.saturating_add(SILENCE));
        let wait = || if now >= consent { Ok(()) } else { Err(Some(consent)) };
        match self.probing {
            Some(_) if self.unheard == 0 => return Ok(()),
            Some(Patience::Long) => return Err(None),
            Some(Patience::Short) => return wait(),
            None => {}
        }
        let unheard = u64::from(self.unheard);
        let known = self.learnt.map_or(0, |learnt| learnt.saturating_sub(self.served.sum()));
        if free || unheard < known.saturating_add(self.room.into()) { Ok(()) } else { wait() }
    }

    /// A call is made.
    pub fn call(&mut self, now: Mono) {
        if self.unheard == 0 {
            self.since = now;
        }
        self.unheard = self.unheard.saturating_add(1);
        self.served.drop_until(Mono(now.0.saturating_sub(RECENT)));
    }

    /// A call was answered, well or badly, or given up.
    pub fn heard(&mut self, now: Mono) {
        self.unheard = self.unheard.saturating_sub(1);
        self.since = now;
    }

    /// A call that was granted at `granted` was answered well.
    pub fn good(&mut self, granted: Mono, now: Mono) {
        if self.refused.is_some_and(|refused| granted <= refused) {
            // It was served beside those that were refused: it belongs to what the window held.
            self.learnt = self.learnt.map(|learnt| learnt.saturating_add(1));
            return;
        }
        self.probing = None;
        let within = self.learnt.is_some_and(|learnt| self.served.sum() < learnt);
        self.served.add(now, 1);
        if within {
            return;
        }
        // From four on half as many more with each round of answers; behind a learnt limit twice as many.
        self.short = self.short.saturating_add(if self.learnt.is_some() { 2 } else { 1 });
        if self.short >= 2 {
            self.short = 0;
            self.room = self.room.saturating_add(1);
        }
    }

    /// A limit was met, for the first time since the last cooldown.
    pub fn refused(&mut self, now: Mono) {
        let served = self.served.sum();
        if served > 0 {
            self.learnt = Some(served);
        }
        self.refused = Some(now);
        self.served = Log::new(RECENT);
        self.room = 1;
        self.short = 0;
    }

    /// A cooldown has ended whose length was guessed; `silent` says that silence was what was wrong.
    pub fn probe(&mut self, silent: bool) {
        self.probing = Some(if silent { Patience::Long } else { Patience::Short });
    }

    /// No first call is awaited any more.
    pub fn awaits_nobody(&mut self) {
        self.probing = None;
    }

    /// What refusals have shown; `None` before the first of them.
    #[must_use]
    pub fn learnt(&self) -> Option<Learnt> {
        Some(Learnt { burst: self.learnt?, served: self.served.sum() })
    }

    /// Takes up what refusals had shown by the time `at`.
    pub fn restore(&mut self, learnt: Learnt, at: Mono, now: Mono) {
        self.learnt = Some(learnt.burst);
        self.room = 1;
        // The window may hold them still.
        self.served.add(at.min(now), learnt.served);
        self.served.drop_until(Mono(now.0.saturating_sub(RECENT)));
    }

    /// Whether a first call is being waited for.
    #[must_use]
    pub fn is_probing(&self) -> bool {
        self.probing.is_some()
    }

    /// Calls without an answer.
    #[must_use]
    pub fn unheard(&self) -> u32 {
        self.unheard
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(pace: &mut Pace, now: u64) -> u32 {
        let before = pace.unheard();
        while pace.check(false, Mono(now)).is_ok() && pace.unheard() < before + 1_000 {
            pace.call(Mono(now));
        }
        pace.unheard() - before
    }

    fn good(pace: &mut Pace, count: u32, now: u64) {
        for _ in 0..count {
            pace.heard(Mono(now));
            pace.good(Mono(now + 1), Mono(now));
        }
    }

    #[test]
    fn calls_begin_with_a_few_and_become_more() {
        let mut pace = Pace::default();
        let mut rounds = Vec::new();
        for round in 0..5 {
            let made = calls(&mut pace, round);
            good(&mut pace, made, round);
            rounds.push(made);
        }
        assert_eq!(rounds, [4, 6, 9, 13, 20]);
    }

    #[test]
    fn silence_means_that_calls_are_being_worked_on() {
        let mut pace = Pace::default();
        assert_eq!(calls(&mut pace, 0), 4);
        assert_eq!(pace.check(false, Mono(1_999)), Err(Some(Mono(2_000))));
        assert_eq!(pace.check(false, Mono(2_000)), Ok(()));
    }

    #[test]
    fn after_a_refusal_as_many_go_as_were_served_and_one_more() {
        let mut pace = Pace::default();
        for _ in 0..4 {
            let made = calls(&mut pace, 0).min(20);
            good(&mut pace, made, 0);
        }
        let served = pace.served.sum();
        pace.refused(Mono(1));
        let made = calls(&mut pace, 3_000);
        assert_eq!(u64::from(made), served + 1);
        good(&mut pace, made - 1, 3_010);
        assert_eq!(calls(&mut pace, 3_010), 0, "the one behind has no answer yet");
        good(&mut pace, 1, 3_020);
        assert_eq!(calls(&mut pace, 3_020), 2, "the limit has risen");
    }

    #[test]
    fn one_call_goes_first_after_a_guess() {
        let mut pace = Pace::default();
        pace.probe(false);
        assert_eq!(calls(&mut pace, 0), 1);
        assert_eq!(pace.check(true, Mono(10)), Err(Some(Mono(2_000))), "also where limits are known");
        good(&mut pace, 1, 20);
        assert!(calls(&mut pace, 20) > 1);
        pace.probe(true);
        let mut pace = Pace { unheard: 0, ..pace };
        assert_eq!(calls(&mut pace, 100), 1);
        assert_eq!(pace.check(false, Mono(60_000)), Err(None), "silence was what was wrong");
    }
}
