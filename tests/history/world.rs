//! A history as it happens: events in the order of a clock that only they move.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use chain429::actors::lease::{Hold, Outcome};
use chain429::actors::msg::News;
use chain429::domain::answer::Answer;
use chain429::domain::classify::{broken, classify};
use chain429::domain::evidence::{self, Evidence};
use chain429::domain::outcome::{Action, Reason, Verdict};
use chain429::domain::usage;

use super::checks::{Checks, End};
use super::plan::{Ask, Fate, Plan, What};
use super::provider::{Message, Owner, Providers, Refused, prompt_tokens};
use super::proxy::{Proxy, demand};
use crate::support::quota::truth::Ticket;

/// The world.
pub struct World<'a> {
    plan: &'a Plan,
    now: u64,
    /// False while the proxy is down.
    up: bool,
    events: BinaryHeap<Reverse<(u64, usize, Event)>>,
    order: usize,
    proxy: Proxy,
    providers: Providers,
    calls: Vec<Call>,
    checks: Checks,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Step(usize),
    Start,
    /// A call reaches the provider.
    Arrives(usize),
    /// The head of its stream reaches the proxy.
    Head(usize),
    /// The provider has written its answer.
    Written(usize),
    /// What ends it for the proxy.
    Ends(usize),
}

/// One upstream call.
struct Call {
    ask: Ask,
    /// How many entries have failed before.
    attempt: usize,
    entry: usize,
    owner: Owner,
    hold: Hold,
    ticket: Option<Ticket>,
    arrived: bool,
    /// Headers of the answer, as soon as they are known.
    head: Vec<(String, Vec<u8>)>,
    /// Told with the end; `None` for whatever is no answer.
    message: Option<Message>,
    /// Of a refusal.
    told: Option<Refused>,
    /// For the proxy.
    over: bool,
}

impl<'a> World<'a> {
    pub fn new(plan: &'a Plan) -> Self {
        let providers = Providers::new(plan);
        let proxy = Proxy::new(plan, providers.wall(0));
        let checks = Checks::new(plan);
        let events = BinaryHeap::new();
        let mut world = Self { plan, now: 0, up: true, events, order: 0, proxy, providers, calls: Vec::new(), checks };
        let mut at = 0;
        for (step, next) in plan.steps.iter().enumerate() {
            at += next.gap;
            world.on(at, Event::Step(step));
        }
        world
    }

    /// Lets it all happen.
    pub fn run(mut self) -> Checks {
        while let Some(Reverse((at, _, event))) = self.events.pop() {
            self.now = at;
            match event {
                Event::Step(at) => self.step(at),
                Event::Start => self.start(),
                Event::Arrives(call) => self.arrives(call),
                Event::Head(call) => self.head(call),
                Event::Written(call) => self.written(call),
                Event::Ends(call) => self.ends(call),
            }
            if self.up {
                self.checks.after(&self.proxy, self.now, &format!("{event:?}"));
            }
        }
        self.checks.at_the_end(&self.proxy, self.now);
        self.checks
    }

    fn on(&mut self, at: u64, event: Event) {
        self.order += 1;
        self.events.push(Reverse((at, self.order, event)));
    }

    fn step(&mut self, at: usize) {
        let plan = self.plan;
        match &plan.steps[at].what {
            What::Ask(ask) if self.up => self.ask(ask, 0, 0),
            // Of a clock that is set while nobody watches nothing can be known.
            What::Jump { by } if self.up && by.abs() > 1_000 => {
                self.proxy.skew = (self.proxy.skew + by).clamp(-3_600_000, 3_600_000)
            }
            What::Restart { down } if self.up => {
                // Whatever has been sent arrives, and the connections close.
                for call in 0..self.calls.len() {
                    if !self.calls[call].over {
                        self.arrives(call);
                        self.let_go(call, 0);
                        self.checks.ended(call, End::Lost, self.now);
                        self.calls[call].over = true;
                    }
                }
                self.proxy.close(self.now);
                self.up = false;
                self.on(self.now + down, Event::Start);
            }
            _ => {}
        }
    }

    fn start(&mut self) {
        self.proxy.open(&self.plan.hosts, self.now);
        self.up = true;
    }

    /// Walks the chain from an entry on.
    fn ask(&mut self, ask: &Ask, from: usize, attempt: usize) {
        let (now, demand) = (self.proxy.now(self.now), demand(ask));
        for at in from..self.proxy.entries.len() {
            let entry = &self.proxy.entries[at];
            let shown = entry.shown(demand, now.mono);
            self.checks.before(&self.providers, entry, ask, now, self.now);
            match entry.desk.reserve(demand, false, now) {
                Err(refusal) => self.checks.refused(&refusal),
                Ok(hold) => {
                    assert_eq!(shown, None, "the gauge refuses what the ledger grants");
                    let owner = self.providers.owner(entry.host, hold.lane, entry.model);
                    self.checks.granted(self.calls.len(), at, owner, &hold, ask, self.now);
                    return self.call(ask, attempt, at, owner, hold);
                }
            }
        }
        self.checks.exhausted += 1;
    }

    fn call(&mut self, ask: &Ask, attempt: usize, entry: usize, owner: Owner, hold: Hold) {
        let mut ask = ask.clone();
        if attempt > 0 {
            // The next provider is another one: as far away as that may be, and well.
            (ask.up, ask.down) = ((ask.up + 73) % 201, (ask.down + 131) % 201);
            ask.fate = Fate::Served;
        }
        let (call, way) = (self.calls.len(), ask.up);
        let no_connection = ask.fate == Fate::NoConnection;
        self.calls.push(Call {
            ask,
            attempt,
            entry,
            owner,
            hold,
            ticket: None,
            arrived: false,
            head: Vec::new(),
            message: None,
            told: None,
            over: false,
        });
        self.on(self.now + way, if no_connection { Event::Ends(call) } else { Event::Arrives(call) });
    }

    fn arrives(&mut self, at: usize) {
        let call = &mut self.calls[at];
        if call.arrived || call.ask.fate == Fate::NoConnection {
            return;
        }
        call.arrived = true;
        let (owner, ask, wall) = (call.owner, call.ask.clone(), self.providers.wall(self.now));
        match self.providers.arrive(owner, &ask, wall) {
            Err(refused) => {
                self.checks.turned_away(&self.providers, at, &refused, self.now);
                let call = &mut self.calls[at];
                call.message = Some(refused.message.clone());
                call.told = Some(refused);
                self.on(self.now + ask.down, Event::Ends(at));
            }
            Ok(ticket) => {
                let early = self.plan.hosts[owner.host].early || ask.stream;
                let head = if early { self.providers.headers(owner, wall) } else { Vec::new() };
                self.checks.arrived(at);
                let call = &mut self.calls[at];
                (call.ticket, call.head) = (Some(ticket), head);
                let (part, whole) = (ask.service * ask.part / 100, ask.service);
                match ask.fate {
                    Fate::Served => {
                        if ask.stream {
                            self.on(self.now + part + ask.down, Event::Head(at));
                        }
                        self.on(self.now + whole, Event::Written(at));
                    }
                    Fate::Broken => {
                        if ask.stream {
                            self.on(self.now + part / 2 + ask.down, Event::Head(at));
                        }
                        self.on(self.now + part + ask.down, Event::Ends(at));
                    }
                    Fate::ServerError => self.on(self.now + part, Event::Written(at)),
                    Fate::TimeOut | Fate::ClientLeaves => self.on(self.now + part, Event::Ends(at)),
                    Fate::NoConnection => {}
                }
            }
        }
    }

    fn head(&mut self, at: usize) {
        let call = &mut self.calls[at];
        if call.over {
            return;
        }
        let (now, head) = (self.proxy.now(self.now), lines(&call.head));
        let dialect = self.proxy.entries[call.entry].dialect;
        let evidence =
            evidence::read(dialect, &Answer { status: 200, headers: &head, body: b"" }, &Verdict::OK, now.wall);
        self.checks.learnt(at, &evidence);
        let news = News::Heard(evidence);
        self.proxy.entries[call.entry].desk.take_in(&call.hold, &news, now);
        call.hold.heard = true;
        self.checks.heard(at, self.now);
    }

    /// The provider is done with it, and sends the end.
    fn written(&mut self, at: usize) {
        if self.calls[at].ticket.is_none() {
            return;
        }
        let (owner, ask) = (self.calls[at].owner, self.calls[at].ask.clone());
        let wall = self.providers.wall(self.now);
        let answer = if ask.fate == Fate::ServerError { 0 } else { ask.answer };
        self.let_go(at, answer);
        let message = if ask.fate == Fate::ServerError {
            Message::server_error()
        } else if ask.stream || self.plan.hosts[owner.host].early {
            Message::whole(self.calls[at].head.clone(), &ask)
        } else {
            Message::whole(self.providers.headers(owner, wall), &ask)
        };
        self.calls[at].message = Some(message);
        self.on(self.now + ask.down, Event::Ends(at));
    }

    /// It ends at the provider with so many tokens written.
    fn let_go(&mut self, at: usize, answer: u64) {
        let call = &mut self.calls[at];
        if let Some(ticket) = call.ticket.take() {
            let (owner, tokens) = (call.owner, prompt_tokens(&call.ask) + answer);
            self.checks.used(at, tokens, self.now);
            let wall = self.providers.wall(self.now);
            self.providers.finish(owner, ticket, tokens, wall);
        }
    }

    fn ends(&mut self, at: usize) {
        if self.calls[at].over {
            return;
        }
        let now = self.proxy.now(self.now);
        let answer = self.calls[at].ask.answer / 2;
        self.let_go(at, answer);
        let call = &self.calls[at];
        let entry = &self.proxy.entries[call.entry];
        let failed = |reason, reached| Outcome::Failed {
            verdict: broken(entry.dialect, reason),
            status: 0,
            reached,
            evidence: Evidence::default(),
        };
        let outcome = match (&call.message, call.ask.fate) {
            (Some(message), _) => {
                let head = lines(&message.headers);
                let answer = Answer { status: message.status, headers: &head, body: &message.body };
                let verdict = classify(entry.dialect, &answer, now.wall);
                // Nothing is read off the end of a stream.
                let whole = !(call.hold.heard && call.ask.stream);
                let read = || evidence::read(entry.dialect, &answer, &verdict, now.wall);
                let evidence = if whole { read() } else { Evidence::default() };
                match verdict.action {
                    Action::Ok => Outcome::Served { usage: usage::read(&message.body), evidence },
                    _ => Outcome::Failed { verdict, status: message.status, reached: true, evidence },
                }
            }
            (None, Fate::NoConnection) => failed(Reason::Transport, false),
            (None, Fate::TimeOut) => failed(Reason::Timeout, true),
            (None, Fate::Broken) if call.hold.heard => {
                Outcome::Broken { verdict: broken(entry.dialect, Reason::Truncated), usage: None }
            }
            (None, Fate::Broken) => failed(Reason::Truncated, true),
            (None, _) => Outcome::Abandoned { usage: None },
        };
        let goes_on = matches!(outcome, Outcome::Failed { .. });
        self.checks.ended(at, End::of(&outcome), self.now);
        if let Outcome::Served { evidence, .. } | Outcome::Failed { evidence, .. } = &outcome {
            self.checks.learnt(at, evidence);
        }
        if let Outcome::Failed { verdict, .. } | Outcome::Broken { verdict, .. } = &outcome {
            self.checks.failed(at, verdict, call.told.as_ref().and_then(|told| told.wait), self.now);
        }
        entry.desk.take_in(&call.hold, &News::Ended(outcome), now);
        let (ask, from, attempt) = (call.ask.clone(), call.entry + 1, call.attempt + 1);
        self.calls[at].over = true;
        if goes_on && attempt < 8 {
            self.ask(&ask, from, attempt);
        }
    }
}

fn lines(headers: &[(String, Vec<u8>)]) -> Vec<(&str, &[u8])> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect()
}
