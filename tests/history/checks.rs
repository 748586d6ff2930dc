//! What must be true at every moment of a history.
//!
//! Known limits are kept by the provider's own count (`Truth`). Whether a refusal was justified is judged by a second
//! ledger that is as plain as can be: a list of all calls, looked through from end to end.

use std::collections::BTreeSet;
use std::time::Duration;

use chain429::actors::lease::{Hold, Outcome};
use chain429::actors::posted::Shared;
use chain429::domain::cooldown::{Cooldown, Deadline};
use chain429::domain::demand::Need;
use chain429::domain::evidence::{Dimension, Evidence, Stated};
use chain429::domain::outcome::{Basis, Verdict};
use chain429::domain::refusal::Refusal;
use chain429::domain::time::{Mono, Now};
use chain429::domain::usage::Usage;

use super::plan::{Ask, Host, Plan, Voice, What};
use super::provider::{Owner, Providers, Refused};
use super::proxy::{Entry, Proxy, copy, demand};
use crate::support::quota::truth::{Unit, Which};

/// No guess and no row of broken streams keeps an entry away for longer.
const LONGEST_GUESS: u64 = 1_800_000;

/// The checks, and what they have to remember.
pub struct Checks {
    hosts: Vec<Host>,
    calls: Vec<Call>,
    /// The slowest answer of the history.
    slowest: u64,
    jumps: bool,
    /// By ledger, in the order of [`Proxy::ledgers`]: the cooldown in force, in time of the history.
    cooling: Vec<Option<Deadline>>,
    failures: Vec<Failure>,
    /// Owners whose count is the provider's own: an answer has come while nothing else was under way, and since then
    /// nothing has been charged that the provider may not count.
    agreed: BTreeSet<Owner>,
    /// Owners of whose limits anything was told.
    told: BTreeSet<Owner>,
    /// For the report of a run.
    pub grants: usize,
    pub refusals: usize,
    pub exhausted: usize,
    pub turned_away: usize,
    pub exact: usize,
}

#[derive(Debug)]
struct Call {
    owner: Owner,
    entry: usize,
    granted: u64,
    need: Need,
    real: u64,
    ended: Option<(u64, End)>,
    arrived: bool,
    heard: Option<u64>,
    /// Which rules its answer has told of, and how many calls had been granted by then.
    told: Vec<Option<usize>>,
    used: Option<u64>,
}

/// What the end of a call comes to.
#[derive(Clone, Copy, Debug)]
pub enum End {
    /// It costs nothing.
    Unreached,
    /// It costs one request.
    Refused,
    /// It costs what was reserved.
    Reserved,
    /// It costs what it says.
    Told(Usage),
    /// The proxy has not seen it.
    Lost,
}

/// A failure that may have led to a cooldown.
struct Failure {
    host: usize,
    /// When what was told is over.
    until: u64,
    at: u64,
}

impl End {
    pub fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Served { usage: Some(usage), .. } => Self::Told(*usage),
            Outcome::Unused | Outcome::Failed { reached: false, .. } => Self::Unreached,
            Outcome::Failed { status: 400..500 | 503 | 529, .. } => Self::Refused,
            Outcome::Failed { verdict, .. } if verdict.reason.is_some_and(|reason| reason.is_quota()) => Self::Refused,
            _ => Self::Reserved,
        }
    }
}

impl Checks {
    pub fn new(plan: &Plan) -> Self {
        let asks = plan.steps.iter().filter_map(|step| if let What::Ask(ask) = &step.what { Some(ask) } else { None });
        Self {
            hosts: plan.hosts.clone(),
            calls: Vec::new(),
            slowest: asks.map(|ask| ask.service).max().unwrap_or(0),
            jumps: plan.steps.iter().any(|step| matches!(step.what, What::Jump { .. })),
            cooling: Vec::new(),
            failures: Vec::new(),
            agreed: BTreeSet::new(),
            told: BTreeSet::new(),
            grants: 0,
            refusals: 0,
            exhausted: 0,
            turned_away: 0,
            exact: 0,
        }
    }

    /// Every lane of the entry is asked, and each refusal has to be justified.
    pub fn before(&mut self, providers: &Providers, entry: &Entry, ask: &Ask, now: Now, at: u64) {
        let need = entry.desk.need(demand(ask));
        for (key, lane) in entry.desk.lanes().iter().enumerate() {
            let Err(refusal) = lane.check(need, false, now) else { continue };
            self.refusals += 1;
            let owner = providers.owner(entry.host, key, entry.model);
            self.justify(providers, owner, entry.model, &refusal, need, ask, now, at);
            if let Some(Deadline::At(until)) = refusal.end() {
                let lane = copy(lane, now);
                assert!(until > now.mono, "{refusal:?} has ended before {now:?}");
                let then = |mono: Mono| Now { mono, wall: now.wall.after(mono.since(now.mono)) };
                let early = lane.check(need, false, then(Mono(until.0 - 1)));
                assert!(early.is_err(), "{refusal:?} at {at}: would be granted a millisecond before");
                let later = lane.check(need, false, then(until));
                // What awaits an answer to a call under way ends with that, or with its silence.
                let awaits = |refusal: Refusal| matches!(refusal, Refusal::Probing { .. }) || refusal.end().is_none();
                let open = later.is_ok() || later.is_err_and(awaits);
                assert!(open, "{refusal:?} at {at}, {now:?}: and at that time {later:?}");
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "all of it is one moment")]
    fn justify(
        &mut self,
        providers: &Providers,
        owner: Owner,
        model: usize,
        refusal: &Refusal,
        need: Need,
        ask: &Ask,
        now: Now,
        at: u64,
    ) {
        let host = &self.hosts[owner.host];
        let lane = |call: &&Call| call.owner == owner;
        let open = |call: &&Call| call.ended.is_none();
        let why = || format!("{refusal:?} at {at} for {need:?} of {owner:?}, {host:?}");
        match refusal {
            Refusal::Cooling(cooldown) => self.justify_cooldown(owner.host, cooldown, now, at),
            Refusal::Full { limit } => {
                assert_eq!(Some(*limit as usize), host.slots(), "{}", why());
                let open = self.calls.iter().filter(lane).filter(open).count();
                assert!(open >= *limit as usize, "{}: {open} open", why());
            }
            Refusal::TooLarge { limit, .. } => {
                let real = host.counts(ask);
                assert!(real > *limit, "{}: it is {real}", why());
                let told = host.rules().iter().any(|rule| rule.unit == Unit::Tokens && rule.limit == *limit);
                assert!(told, "{}: nobody has set that limit", why());
            }
            Refusal::Probing { .. } => {
                // What all keys or all models share may await the call of any of them.
                let near = |call: &&Call| call.owner.host == owner.host;
                let unheard = self.calls.iter().filter(near).filter(open).filter(|call| call.heard.is_none()).count();
                assert!(unheard > 0, "{}: nothing is awaited ({model})", why());
            }
            Refusal::Spent { dimension, window, .. } => {
                if host.configured() {
                    self.justify_spent(owner, *dimension, window.unwrap_or_default(), need, now, at);
                } else if *dimension == Dimension::Requests {
                    self.justify_told(providers, owner, *window, ask, at);
                }
            }
            other => panic!("{other:?} cannot be"),
        }
    }

    /// A cooldown follows from a failure, and ends when that says.
    fn justify_cooldown(&self, host: usize, cooldown: &Cooldown, now: Now, at: u64) {
        let Deadline::At(until) = cooldown.until else { panic!("{cooldown:?} never ends") };
        let until = at + until.since(now.mono).as_millis() as u64;
        let mut failures = self.failures.iter().filter(|failure| failure.host == host);
        let justified = match cooldown.basis {
            Basis::Guess | Basis::WindowLength | Basis::Calendar => {
                failures.any(|failure| until <= failure.at + LONGEST_GUESS)
            }
            _ => failures.any(|failure| until <= failure.until) || (self.jumps && self.hosts[host].reads_wall()),
        };
        assert!(justified, "{cooldown:?} at {at} until {until}: of {:?}", self.hosts[host]);
    }

    /// Of a configured limit: so many calls were made in the window that has just passed.
    fn justify_spent(&self, owner: Owner, dimension: Dimension, window: Duration, need: Need, now: Now, at: u64) {
        let host = &self.hosts[owner.host];
        let span = window.as_millis() as u64;
        let unit = if dimension == Dimension::Requests { Unit::Requests } else { Unit::Tokens };
        let rules = host.rules();
        let rule = rules.iter().find(|rule| rule.unit == unit && rule.window == window);
        let rule = rule.unwrap_or_else(|| panic!("no {dimension:?} per {window:?} in {host:?}"));
        // The window is taken to be longer by a part that is known, and charges that lie close together leave it together.
        let mut from = at.saturating_sub(span + (span / 240).min(250) + span / 240);
        if span == 86_400_000 {
            if self.jumps {
                return;
            }
            let since_midnight = now.wall.0 % span + 250;
            from = at.saturating_sub(since_midnight + 1);
        }
        let within = |time: u64| time >= from;
        let charged = self.calls.iter().filter(|call| call.owner == owner).map(|call| match dimension {
            Dimension::Requests => match call.ended {
                Some((_, End::Unreached)) => 0,
                _ => u64::from(within(call.granted)),
            },
            _ => match call.ended {
                None => call.need.tokens,
                Some((_, End::Unreached | End::Refused)) => 0,
                Some((ended, End::Reserved | End::Lost)) => {
                    if within(ended) {
                        call.need.tokens
                    } else {
                        0
                    }
                }
                Some((ended, End::Told(usage))) => {
                    let prompt = if within(call.granted) { usage.prompt_tokens } else { 0 };
                    prompt + if within(ended) { usage.completion_tokens } else { 0 }
                }
            },
        });
        let charged: u64 = charged.sum();
        let amount = if dimension == Dimension::Requests { 1 } else { need.tokens.min(rule.limit) };
        assert!(
            charged + amount > rule.limit,
            "false exhaustion at {at}: {charged} of {} are used in {window:?}, {amount} are asked for ({owner:?}, {host:?})",
            rule.limit
        );
    }

    /// Of a limit that answers tell: where they tell all of it, and nothing has gone astray since, the provider would
    /// have refused as well a moment ago.
    fn justify_told(&mut self, providers: &Providers, owner: Owner, window: Option<Duration>, ask: &Ask, at: u64) {
        let host = &self.hosts[owner.host];
        assert!(self.told.contains(&owner), "nobody has told a limit of {window:?} by {at}: {host:?}");
        if !matches!(host.voice, Voice::Window | Voice::Seconds | Voice::Full) {
            return;
        }
        let under_way = |call: &Call| call.owner == owner && !call.arrived && call.ended.is_none();
        if !self.agreed.contains(&owner) || self.calls.iter().any(under_way) || (self.jumps && host.reads_wall()) {
            return;
        }
        // How long ago an answer was written is not known, and whole seconds are rounded up.
        let settled = 1_000 + 250 + 250 + 400 + self.slowest;
        if host.voice != Voice::Full {
            // What was used so shortly before the end of a window may belong to the next one.
            let began = at.saturating_sub(providers.wall(at).0 % 60_000);
            let doubtful = |call: &Call| call.owner == owner && call.granted < began && call.granted + settled >= began;
            if self.calls.iter().any(doubtful) {
                return;
            }
        }
        self.exact += 1;
        let settled = Duration::from_millis(settled);
        let truth = providers.truth(owner);
        let could = truth.could_serve(host.counts(ask), providers.wall(at), settled);
        assert!(
            !could,
            "false exhaustion at {at}: {:?} is there ({owner:?}, {host:?})",
            truth.state(0, providers.wall(at))
        );
    }

    /// From which call on those of this owner are made in knowledge of a limit.
    fn known(&self, owner: Owner, which: Which) -> Option<usize> {
        let host = &self.hosts[owner.host];
        match which {
            _ if host.configured() => Some(0),
            Which::Slots => None,
            Which::Rule(at) => {
                self.calls.iter().filter(|call| call.owner == owner).filter_map(|call| call.told[at]).min()
            }
        }
    }

    pub fn granted(&mut self, call: usize, entry: usize, owner: Owner, hold: &Hold, ask: &Ask, at: u64) {
        assert_eq!(call, self.calls.len());
        self.grants += 1;
        self.calls.push(Call {
            owner,
            entry,
            granted: at,
            need: hold.need,
            real: self.hosts[owner.host].counts(ask),
            ended: None,
            arrived: false,
            heard: None,
            told: vec![None; self.hosts[owner.host].rules().len()],
            used: None,
        });
    }

    pub fn refused(&self, refusal: &Refusal) {
        assert!(!matches!(refusal, Refusal::Queued | Refusal::Off | Refusal::Gone), "{refusal:?}");
    }

    pub fn arrived(&mut self, call: usize) {
        self.calls[call].arrived = true;
    }

    pub fn heard(&mut self, call: usize, at: u64) {
        self.calls[call].heard = Some(at);
    }

    /// What it used in truth.
    pub fn used(&mut self, call: usize, tokens: u64, _at: u64) {
        self.calls[call].used = Some(tokens);
    }

    /// The provider refuses a call: by a limit that was not known when it was granted.
    pub fn turned_away(&mut self, providers: &Providers, call: usize, refused: &Refused, at: u64) {
        self.turned_away += 1;
        self.calls[call].arrived = true;
        self.agreed.remove(&self.calls[call].owner);
        let (owner, granted) = (self.calls[call].owner, self.calls[call].granted);
        let host = &self.hosts[owner.host];
        let Some(known) = self.known(owner, refused.which) else { return };
        // Absolute times cannot be read from a clock that is wrong.
        if call < known || (self.jumps && host.reads_wall()) {
            return;
        }
        if let Which::Rule(rule) = refused.which
            && host.rules()[rule].unit == Unit::Tokens
        {
            // Nobody knows before how long an answer gets to which no limit was set, or that it takes more than all.
            let limit = host.rules()[rule].limit;
            let longer = |call: &Call| call.used.unwrap_or(call.real).max(call.real) > call.need.tokens.min(limit);
            let recent = self.calls.iter().filter(|call| call.owner == owner && call.granted + 121_000 > at);
            // A request whose size nobody knows is not kept from a window that it may fit into.
            if recent.into_iter().any(longer) || self.calls[call].real > limit {
                return;
            }
        }
        let state = match refused.which {
            Which::Rule(rule) => Some(providers.truth(owner).state(rule, providers.wall(at))),
            Which::Slots => None,
        };
        panic!(
            "overshoot: call {call}, granted at {granted}, beyond {:?}, known since call {known}: {state:?} of {host:?}",
            refused.which
        );
    }

    /// The proxy reads an answer.
    pub fn learnt(&mut self, call: usize, evidence: &Evidence) {
        let (owner, granted) = (self.calls[call].owner, self.calls[call].granted);
        let beside = |(at, other): (usize, &Call)| {
            let first_word = other.heard.or(other.ended.map(|(ended, _)| ended));
            at != call && other.owner == owner && first_word.is_none_or(|heard| heard >= granted)
        };
        if !evidence.is_empty() {
            self.told.insert(owner);
        }
        if !evidence.readings.is_empty() && !self.calls.iter().enumerate().any(beside) {
            self.agreed.insert(owner);
        }
        let (rules, count) = (self.hosts[owner.host].rules(), self.calls.len());
        for (place, rule) in rules.iter().enumerate() {
            let dimension = if rule.unit == Unit::Requests { Dimension::Requests } else { Dimension::Tokens };
            let read = evidence.readings.iter().any(|it| (it.dimension, it.limit) == (dimension, Some(rule.limit)));
            let stated = evidence.stated.iter().any(|it| {
                matches!(it, Stated::Window { dimension: of, limit, .. } if (*of, *limit) == (dimension, rule.limit))
            });
            if read || stated {
                self.calls[call].told[place].get_or_insert(count);
            }
        }
    }

    pub fn failed(&mut self, call: usize, verdict: &Verdict, wait: Option<Duration>, at: u64) {
        let host = self.calls[call].owner.host;
        let wait = wait.map_or(0, |wait| wait.as_millis() as u64).max(verdict.hint.map_or(0, |hint| {
            // Headers of a window tell its end, which may be later than the call would fit.
            if hint.basis == Basis::ResetHeader { hint.wait.as_millis() as u64 } else { 0 }
        }));
        self.failures.push(Failure { host, until: at + wait.div_ceil(1_000).max(1) * 1_000, at });
    }

    pub fn ended(&mut self, call: usize, end: End, at: u64) {
        self.calls[call].ended = Some((at, end));
        if !matches!(end, End::Told(_) | End::Unreached) {
            self.agreed.remove(&self.calls[call].owner);
        }
    }

    /// After every event.
    pub fn after(&mut self, proxy: &Proxy, at: u64, event: &str) {
        for (place, entry) in proxy.entries.iter().enumerate() {
            for (key, lane) in entry.desk.lanes().iter().enumerate() {
                let mine = |call: &&Call| call.ended.is_none() && call.entry == place && call.owner.key == key;
                let open = self.calls.iter().filter(mine);
                let (count, held) = open.fold((0, 0), |(count, held), call| (count + 1, held + call.need.tokens));
                let own = lane.ledgers[0].borrow();
                assert_eq!((own.ledger().in_flight(), own.ledger().held()), (count, held), "after {event} at {at}");
            }
        }
        let now = proxy.now(at);
        let ledgers = proxy.ledgers();
        self.cooling.resize(ledgers.len(), None);
        for (known, shared) in self.cooling.iter_mut().zip(&ledgers) {
            let active = cooling(shared, now, at);
            if let Some(old) = *known
                && old > Deadline::At(Mono(at))
            {
                assert!(active >= Some(old), "after {event} at {at}: {active:?} in place of {old:?}");
            }
            *known = active;
        }
    }

    /// When everything has ended.
    pub fn at_the_end(&self, proxy: &Proxy, at: u64) {
        let now = proxy.now(at);
        for shared in proxy.ledgers() {
            let posted = shared.borrow();
            let ledger = posted.ledger();
            assert_eq!((ledger.in_flight(), ledger.held()), (0, 0), "{:?}", posted.owner());
            let Some(memory) = ledger.remember("", now) else { continue };
            let memory = serde_json::to_value(memory).unwrap();
            for (bucket, kept) in ledger.buckets().iter().zip(memory["buckets"].as_array().unwrap()) {
                if let Some(charges) = kept["state"]["window"]["charges"].as_array() {
                    let sum: u64 = charges.iter().map(|charge| charge[1].as_u64().unwrap()).sum();
                    assert_eq!(bucket.left(), bucket.limit().saturating_sub(sum), "the sum of all charges");
                }
            }
        }
    }
}

/// The deadline in time of the history.
fn cooling(shared: &Shared, now: Now, at: u64) -> Option<Deadline> {
    let cooldown = shared.borrow().cooldown(now.mono)?;
    Some(match cooldown.until {
        Deadline::At(until) => Deadline::At(Mono(at + until.since(now.mono).as_millis() as u64)),
        Deadline::Never => Deadline::Never,
    })
}
