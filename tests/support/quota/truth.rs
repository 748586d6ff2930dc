//! What a provider really allows: the ground truth that the proxy's own counting is held against.
//!
//! It remembers every call instead of approximating, so each question about any moment can be answered from the record.
//! Pure and synchronous, and time is an argument. Times must not run backwards.

use std::time::Duration;

use chain429::domain::time::Wall;

/// What a rule counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Requests,
    /// Of prompt and answer.
    Tokens,
}

/// How what was used comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// All of it at multiples of the window on the wall clock.
    Fixed,
    /// Each call leaves the window when it is as old as the window is long.
    Rolling,
    /// All the time, at the rate of a limit per window, up to the limit.
    Refilling,
}

/// One limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    pub unit: Unit,
    pub limit: u64,
    pub window: Duration,
    pub kind: Kind,
}

/// One of the limits of a truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// By its place.
    Rule(usize),
    /// Calls at the same time.
    Slots,
}

/// An admitted call, to be finished.
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket(usize);

/// The answer to a call.
#[derive(Debug, PartialEq, Eq)]
pub enum Admission {
    Admit(Ticket),
    Refuse {
        which: Which,
        /// Until the same call would be admitted if no other came; `None` when nobody can tell.
        retry_after: Option<Duration>,
    },
}

/// What a provider would announce about a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    pub limit: u64,
    pub remaining: u64,
    /// Until all of it is back, if no other call comes.
    pub full: Duration,
}

/// Part of a limit that was used, of what could have been.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Share {
    pub used: f64,
    pub capacity: f64,
}

#[derive(Debug)]
struct Call {
    arrived: u64,
    tokens: u64,
    ended: Option<u64>,
}

/// A refusal by `Retry-After` that still holds.
#[derive(Clone, Copy, Debug)]
struct Told {
    since: u64,
    until: u64,
}

/// The quota of one owner: of a key, or of one model of a key.
#[derive(Debug)]
pub struct Truth {
    rules: Vec<Rule>,
    slots: Option<usize>,
    /// How long news may take to get to the other side.
    news: u64,
    calls: Vec<Call>,
    refused: usize,
    beyond: usize,
    /// Since when the other side is told of each rule.
    known: Vec<Option<u64>>,
    slots_known: bool,
    told: Option<Told>,
}

impl Truth {
    /// Nothing used yet, and nothing known to the other side. `news` is how long what an answer says may take until it
    /// bears on calls that arrive: those that were under way already are nobody's fault.
    #[must_use]
    pub fn new(rules: Vec<Rule>, slots: Option<usize>, news: Duration) -> Self {
        let known = vec![None; rules.len()];
        let (calls, slots_known) = (Vec::new(), false);
        Self { rules, slots, news: millis(news), calls, refused: 0, beyond: 0, known, slots_known, told: None }
    }

    /// All limits are in the proxy's configuration.
    #[must_use]
    pub fn configured(mut self) -> Self {
        self.known.fill(Some(0));
        self.slots_known = true;
        self
    }

    /// A call arrives that asks for so many tokens.
    pub fn arrive(&mut self, prompt_tokens: u64, max_tokens: u64, now: Wall) -> Admission {
        let (now, tokens) = (now.0, prompt_tokens + max_tokens);
        match self.obstacle(tokens, now, 0) {
            None => {
                self.calls.push(Call { arrived: now, tokens, ended: None });
                Admission::Admit(Ticket(self.calls.len() - 1))
            }
            Some(which) => {
                self.refused += 1;
                self.beyond += usize::from(self.was_known(which, now));
                Admission::Refuse { which, retry_after: self.wait(tokens, now) }
            }
        }
    }

    /// A call has ended; `tokens` is what it used in truth.
    pub fn finish(&mut self, ticket: Ticket, tokens: u64, now: Wall) {
        let call = &mut self.calls[ticket.0];
        (call.tokens, call.ended) = (tokens, Some(now.0));
    }

    /// An answer with what this rule allows is sent.
    pub fn announce(&mut self, rule: usize, now: Wall) {
        self.known[rule].get_or_insert(now.0);
    }

    /// A refusal with `Retry-After` is sent.
    pub fn tell(&mut self, wait: Duration, now: Wall) {
        let until = now.0 + millis(wait);
        self.told = match self.told.filter(|told| now.0 < told.until) {
            Some(told) => Some(Told { until: told.until.max(until), ..told }),
            None => Some(Told { since: now.0, until }),
        };
    }

    /// Whether a call of this size would be admitted now, and would have been for the last `settled` already: nobody can
    /// know at once of what has just come back.
    #[must_use]
    pub fn could_serve(&self, tokens: u64, now: Wall, settled: Duration) -> bool {
        self.obstacle(tokens, now.0, millis(settled)).is_none()
    }

    /// What may be announced about a rule.
    #[must_use]
    pub fn state(&self, rule: usize, now: Wall) -> State {
        let rule = &self.rules[rule];
        let used = self.used(rule, now.0, 0).min(rule.limit);
        let full = match rule.kind {
            Kind::Fixed => window_end(rule, now.0) - now.0,
            Kind::Rolling => {
                let newest = self.calls.last().map_or(0, |call| call.arrived + millis(rule.window));
                newest.saturating_sub(now.0)
            }
            Kind::Refilling => self.missing(rule, now.0).div_ceil(rule.limit),
        };
        State { limit: rule.limit, remaining: rule.limit - used, full: Duration::from_millis(full) }
    }

    /// The limits over windows.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Calls admitted.
    #[must_use]
    pub fn served(&self) -> usize {
        self.calls.len()
    }

    /// Calls refused.
    #[must_use]
    pub fn refused(&self) -> usize {
        self.refused
    }

    /// Refused calls whose limit was known to the other side before: configured, announced, or told by `Retry-After`.
    #[must_use]
    pub fn beyond(&self) -> usize {
        self.beyond
    }

    /// What was used of a limit from `from` until before `to`, and what there was.
    ///
    /// A fixed window counts as a whole, used and capacity, as soon as the period touches it.
    /// Of a rolling window the filling is measured, averaged over the period, so that it does not matter where in a
    /// window the period ends. Used and capacity are in the rule's unit (slots: in calls at the same time).
    #[must_use]
    pub fn share(&self, which: Which, from: Wall, to: Wall) -> Share {
        let (from, to) = (from.0, to.0);
        let length = (to - from) as f64;
        match which {
            Which::Slots => {
                let held = self.calls.iter().map(|call| overlap(call.arrived, call.ended.unwrap_or(to), from, to));
                Share { used: held.sum::<u64>() as f64 / length, capacity: self.slots.unwrap_or_default() as f64 }
            }
            Which::Rule(at) => {
                let rule = &self.rules[at];
                let (window, limit) = (millis(rule.window), rule.limit as f64);
                let weigh = |call: &Call| weight(rule, call);
                match rule.kind {
                    Kind::Fixed => {
                        let (first, last) = (from / window, (to - 1) / window);
                        let within = self.calls.iter().filter(|call| (first..=last).contains(&(call.arrived / window)));
                        let used = within.map(weigh).sum::<u64>() as f64;
                        Share { used, capacity: limit * (last - first + 1) as f64 }
                    }
                    Kind::Rolling => {
                        let filled = self
                            .calls
                            .iter()
                            .map(|call| weigh(call) * overlap(call.arrived, call.arrived + window, from, to));
                        let capacity = limit * length / window as f64;
                        Share { used: filled.sum::<u64>() as f64 / window as f64, capacity }
                    }
                    Kind::Refilling => {
                        let missing = self.missing(rule, from) as f64 / window as f64;
                        let capacity = limit - missing + limit * length / window as f64;
                        let arrived = self.calls.iter().filter(|call| (from..to).contains(&call.arrived));
                        Share { used: arrived.map(weigh).sum::<u64>() as f64, capacity }
                    }
                }
            }
        }
    }

    fn was_known(&self, which: Which, now: u64) -> bool {
        let long_ago = |since: u64| since + self.news < now;
        let rule = match which {
            Which::Rule(at) => self.known[at].is_some_and(long_ago),
            Which::Slots => self.slots_known,
        };
        rule || self.told.is_some_and(|told| long_ago(told.since) && now < told.until)
    }

    /// The first limit that is in the way, when things are seen as they were `settled` ago, with all that came since.
    fn obstacle(&self, tokens: u64, now: u64, settled: u64) -> Option<Which> {
        let busy = self.in_flight(now.saturating_sub(settled));
        if self.slots.is_some_and(|slots| busy >= slots) {
            return Some(Which::Slots);
        }
        let full = |rule: &Rule| self.used(rule, now, settled) + need(rule, tokens) > rule.limit;
        self.rules.iter().position(full).map(Which::Rule)
    }

    fn in_flight(&self, at: u64) -> usize {
        self.calls.iter().filter(|call| call.ended.is_none_or(|ended| ended > at)).count()
    }

    /// Units in use, rounded up.
    fn used(&self, rule: &Rule, now: u64, settled: u64) -> u64 {
        let then = now.saturating_sub(settled);
        match rule.kind {
            Kind::Fixed => self.since(rule, window_end(rule, then) - millis(rule.window)),
            Kind::Rolling => self.since(rule, (then + 1).saturating_sub(millis(rule.window))),
            Kind::Refilling => {
                let missing = self.missing(rule, now) + settled * rule.limit;
                missing.div_ceil(millis(rule.window))
            }
        }
    }

    /// Units of calls that arrived at `from` or later.
    fn since(&self, rule: &Rule, from: u64) -> u64 {
        self.calls.iter().rev().take_while(|call| call.arrived >= from).map(|call| weight(rule, call)).sum()
    }

    /// What a refilling bucket misses at `at`, after all calls of that moment; in units x window in ms, the measure in
    /// which exactly `limit` comes back per millisecond.
    fn missing(&self, rule: &Rule, at: u64) -> u64 {
        let (mut missing, mut seen) = (0u64, 0u64);
        for call in self.calls.iter().take_while(|call| call.arrived <= at) {
            missing =
                missing.saturating_sub((call.arrived - seen) * rule.limit) + weight(rule, call) * millis(rule.window);
            seen = call.arrived;
        }
        missing.saturating_sub((at - seen) * rule.limit)
    }

    /// Until a call of this size would be admitted.
    fn wait(&self, tokens: u64, now: u64) -> Option<Duration> {
        if self.slots.is_some_and(|slots| self.in_flight(now) >= slots) {
            return None;
        }
        let waits = self.rules.iter().map(|rule| self.wait_for(rule, need(rule, tokens), now));
        waits.collect::<Option<Vec<u64>>>()?.into_iter().max().map(Duration::from_millis)
    }

    fn wait_for(&self, rule: &Rule, need: u64, now: u64) -> Option<u64> {
        let must_leave = (self.used(rule, now, 0) + need).checked_sub(rule.limit).filter(|units| *units > 0);
        let (Some(must_leave), true) = (must_leave, need <= rule.limit) else {
            return (need <= rule.limit).then_some(0);
        };
        Some(match rule.kind {
            Kind::Fixed => window_end(rule, now) - now,
            Kind::Refilling => {
                let may_miss = (rule.limit - need) * millis(rule.window);
                (self.missing(rule, now) - may_miss).div_ceil(rule.limit)
            }
            Kind::Rolling => {
                let window = millis(rule.window);
                let mut left = 0;
                let within = self.calls.iter().filter(|call| call.arrived + window > now);
                let last = within.take_while(|call| {
                    let enough = left >= must_leave;
                    left += weight(rule, call);
                    !enough
                });
                last.last().map_or(0, |call| call.arrived + window - now)
            }
        })
    }
}

fn need(rule: &Rule, tokens: u64) -> u64 {
    match rule.unit {
        Unit::Requests => 1,
        Unit::Tokens => tokens,
    }
}

fn weight(rule: &Rule, call: &Call) -> u64 {
    need(rule, call.tokens)
}

fn window_end(rule: &Rule, at: u64) -> u64 {
    let window = millis(rule.window);
    (at / window + 1) * window
}

/// Length of the common part of two periods.
fn overlap(start: u64, end: u64, from: u64, to: u64) -> u64 {
    end.min(to).saturating_sub(start.max(from))
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap()
}
