use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;

use actix::{AsyncContext, Context, Handler};

use super::*;
use crate::actors::keeper::KeeperActor;
use crate::actors::lease::{Hold, Lease, Outcome};
use crate::actors::msg::{Acquire, Acquired, Reserve, Routes};
use crate::config::{self, Overrides};
use crate::domain::cooldown::Deadline;
use crate::domain::demand::Demand;
use crate::domain::evidence::Evidence;
use crate::domain::ids::ProviderId;
use crate::domain::outcome::Target;
use crate::domain::outcome::{Basis, CooldownClass, Hint, Reason, Verdict};
use crate::domain::refusal::Refusal;
use crate::domain::time::{Mono, Wall};
use crate::domain::trail::Seen;
use crate::store::state::State;

mod adoption;

/// An actor that was stopped: its door answers nobody.
struct Dead;

impl Actor for Dead {
    type Context = Context<Self>;
}

impl Handler<Reserve> for Dead {
    type Result = Result<Lease, Refusal>;

    fn handle(&mut self, _: Reserve, ctx: &mut Self::Context) -> Self::Result {
        let (demand, granted) = (Demand::default(), Mono(0));
        let need = crate::domain::demand::Need::default();
        let hold = Hold { lane: 0, granted, demand, need, marks: Vec::new(), heard: false };
        Ok(Lease::new(ctx.address().recipient(), hold))
    }
}

impl Handler<crate::actors::msg::Settle> for Dead {
    type Result = ();

    fn handle(&mut self, _: crate::actors::msg::Settle, _: &mut Self::Context) {}
}

fn failed(verdict: Verdict) -> Outcome {
    Outcome::Failed { verdict, status: 429, reached: true, evidence: Evidence::default() }
}

fn fleet() -> Fleet {
    let yaml = "version: 1\nsettings: { apiKeys: [a-client-key] }\nproviders:\n  - { id: p, type: groq, apiKey: k, rateLimits: { scope: provider, concurrentRequests: 4 } }\nchains:\n  - name: default\n    entries: [{ provider: p, model: m }, { provider: p, model: n }]\n";
    let nothing: [(&str, &str); 0] = [];
    let config = config::parse(yaml, "test", Path::new("."), &nothing, &Overrides::default()).unwrap();
    Fleet::start(Arc::new(config), Clock::from_fn(Now::default), Bell::default(), State::new())
}

fn id(model: &str) -> EntryId {
    EntryId { provider: ProviderId::new("p"), model: ModelId::new(model) }
}

fn door(fleet: &Fleet, model: &str) -> EntryHandle {
    fleet.entries[&id(model)].entry.handle.clone().unwrap()
}

/// Puts a dead actor in the place of the entry's own.
async fn kill(fleet: &mut Fleet, model: &str) {
    let dead = Dead::create(|ctx| {
        actix::ActorContext::stop(ctx);
        Dead
    });
    tokio::task::yield_now().await;
    let running = fleet.entries.get_mut(&id(model)).unwrap();
    let handle = EntryHandle { door: dead.recipient(), ..running.entry.handle.clone().unwrap() };
    running.entry = Arc::new(Entry { handle: Some(handle), ..Entry::clone(&running.entry) });
}

#[actix_rt::test]
async fn a_revived_entry_keeps_its_cooldown_and_writes_off_lost_leases() {
    let mut fleet = fleet();
    let old = door(&fleet, "m");
    let lost = old.door.send(Reserve { demand: Demand::default(), urgent: false }).await.unwrap().unwrap();
    let other =
        door(&fleet, "n").door.send(Reserve { demand: Demand::default(), urgent: false }).await.unwrap().unwrap();
    let failing = old.door.send(Reserve { demand: Demand::default(), urgent: false }).await.unwrap().unwrap();
    let hint = Hint { wait: Duration::from_secs(9), basis: Basis::RetryAfterHeader };
    let verdict = Verdict::cool(Reason::RateLimit, Target::Entry, CooldownClass::Unknown429).told(Some(hint));
    failing.settle_and_learn(failed(verdict)).await.unwrap();

    kill(&mut fleet, "m").await;
    assert!(fleet.revive(&id("m")));

    let in_flight = |gauge: usize| old.lanes[0][gauge].in_flight();
    assert_eq!(in_flight(0), 0, "of the entry");
    assert_eq!(in_flight(1), 1, "of the key: the other entry's call goes on");
    assert!(matches!(
        door(&fleet, "m").door.send(Reserve { demand: Demand::default(), urgent: false }).await.unwrap(),
        Err(Refusal::Cooling(_))
    ));
    drop((lost, other));
}

#[actix_rt::test]
async fn an_entry_whose_actor_died_is_passed_over_and_restarted() {
    let mut fleet = fleet();
    kill(&mut fleet, "m").await;
    let control = KeeperActor::keep(fleet, Clock::from_fn(Now::default), Bell::default(), None);
    let router = control.router;

    match router.send(Acquire::Start { model: "default".into(), demand: Demand::default() }).await.unwrap() {
        Acquired::Granted { place, skipped, .. } => {
            assert_eq!(place, 1);
            assert_eq!(skipped[0].seen, Seen::Skipped(Refusal::Gone));
        }
        other => panic!("{other:?}"),
    }
    // The router learns of the new door in a message of its own.
    for _ in 0..10 {
        router.send(Routes).await.unwrap();
    }
    assert!(matches!(
        router.send(Acquire::Start { model: "default".into(), demand: Demand::default() }).await.unwrap(),
        Acquired::Granted { place: 0, .. }
    ));
}

/// The entry is back when the last of all cooldowns that concern it has ended.
#[actix_rt::test]
async fn the_longest_of_several_cooldowns_is_told() {
    let fleet = fleet();
    let both = door(&fleet, "m");
    let cool = |target, seconds| {
        let hint = Hint { wait: Duration::from_secs(seconds), basis: Basis::RetryAfterHeader };
        let verdict = Verdict::cool(Reason::RateLimit, target, CooldownClass::Unknown429).told(Some(hint));
        failed(verdict)
    };
    let first = both.door.send(Reserve { demand: Demand::default(), urgent: false }).await.unwrap().unwrap();
    let second = both.door.send(Reserve { demand: Demand::default(), urgent: false }).await.unwrap().unwrap();
    first.settle_and_learn(cool(Target::Key, 3_600)).await;
    let told = second.settle_and_learn(cool(Target::Entry, 9)).await.unwrap();
    let end = Deadline::At(Mono(3_600_000));
    assert_eq!(told.until, end);
    assert!(
        matches!(both.refusal(Demand::default(), Mono(0)), Some(Refusal::Cooling(cooldown)) if cooldown.until == end)
    );
    match both.door.send(Reserve { demand: Demand::default(), urgent: false }).await.unwrap() {
        Err(Refusal::Cooling(cooldown)) => assert_eq!(cooldown.until, end),
        other => panic!("{other:?}"),
    }
}

/// Two requests may both find the door closed before the first of them has had it opened again.
#[actix_rt::test]
async fn an_entry_that_answers_is_not_restarted() {
    let mut fleet = fleet();
    let alive = door(&fleet, "m");
    let lease = alive.door.send(Reserve { demand: Demand::default(), urgent: false }).await.unwrap().unwrap();
    assert!(!fleet.revive(&id("m")));
    assert_eq!(alive.lanes[0][0].in_flight(), 1, "its lease will be settled");
    drop(lease);
}

/// A provider of one kind for all, with the chain's models.
fn fleet_of(provider: &str, models: &[&str]) -> Fleet {
    timed(provider, models, &Arc::default(), &Arc::default())
}

/// The same, under a clock that shows `hand` milliseconds past noon; the one on the wall is `ahead` of that.
fn timed(provider: &str, models: &[&str], hand: &Arc<AtomicU64>, ahead: &Arc<AtomicU64>) -> Fleet {
    let entries: Vec<_> = models.iter().map(|model| format!("{{ provider: p, model: {model} }}")).collect();
    let yaml = format!(
        "version: 1\nsettings: {{ apiKeys: [a-client-key] }}\nproviders:\n  - {{ id: p, type: mistral, {provider} }}\nchains:\n  - name: default\n    entries: [{}]\n",
        entries.join(", ")
    );
    let nothing: [(&str, &str); 0] = [];
    let config = config::parse(&yaml, "test", Path::new("."), &nothing, &Overrides::default()).unwrap();
    let (hand, ahead) = (Arc::clone(hand), Arc::clone(ahead));
    let clock = Clock::from_fn(move || {
        let passed = hand.load(SeqCst);
        let wall = 1_795_521_600_000 + passed + ahead.load(SeqCst);
        Now { mono: Mono(100 * 86_400_000 + passed), wall: Wall(wall) }
    });
    Fleet::start(Arc::new(config), clock, Bell::default(), State::new())
}

/// How many calls are granted, `most` at most. None of them ever ends.
async fn grants(fleet: &Fleet, model: &str, most: usize, urgent: bool) -> usize {
    let door = door(fleet, model);
    let mut leases = Vec::new();
    while leases.len() < most {
        match door.door.send(Reserve { demand: Demand::default(), urgent }).await.unwrap() {
            Ok(lease) => leases.push(lease),
            Err(_) => break,
        }
    }
    let count = leases.len();
    std::mem::forget(leases);
    count
}

#[actix_rt::test]
async fn shared_limits_are_the_providers_whichever_model_comes_first() {
    let provider = "apiKey: k, rateLimits: { scope: provider, requestsPerMinute: 30 }, models: { m: { rateLimits: { requestsPerMinute: 3 } } }";
    for models in [["n", "m"], ["m", "n"]] {
        let fleet = fleet_of(provider, &models);
        let granted = (grants(&fleet, "m", 50, true).await, grants(&fleet, "n", 50, true).await);
        assert_eq!(granted, (3, 27), "{models:?}");
        assert_eq!(grants(&fleet_of(provider, &models), "n", 50, true).await, 30, "{models:?}");
    }
}

#[actix_rt::test]
async fn shared_limits_hold_beside_a_model_with_limits_of_its_own() {
    let provider = "apiKey: k, rateLimits: { scope: provider, requestsPerMinute: 5 }, models: { m: { rateLimits: { scope: model, requestsPerMinute: 3 } } }";
    let fleet = fleet_of(provider, &["m", "n"]);
    assert_eq!(grants(&fleet, "n", 50, true).await, 5);
    let fleet = fleet_of(provider, &["m", "n"]);
    assert_eq!((grants(&fleet, "m", 50, true).await, grants(&fleet, "n", 50, true).await), (3, 2));
}

#[actix_rt::test]
async fn an_entry_whose_limits_are_shared_is_not_felt_out_either() {
    let own = fleet_of("apiKey: k, rateLimits: { requestsPerMinute: 30 }", &["m"]);
    let shared = fleet_of("apiKey: k, rateLimits: { scope: provider, requestsPerMinute: 30 }", &["m"]);
    assert_eq!((grants(&own, "m", 50, false).await, grants(&shared, "m", 50, false).await), (30, 30));
}

#[actix_rt::test]
async fn one_call_goes_first_after_a_guess_that_held_for_the_whole_key() {
    let (hand, ahead) = Default::default();
    let fleet = timed("apiKey: k, rateLimits: { concurrentRequests: 50 }", &["m", "n"], &hand, &ahead);
    let lease =
        door(&fleet, "m").door.send(Reserve { demand: Demand::default(), urgent: false }).await.unwrap().unwrap();
    lease.settle_and_learn(failed(Verdict::cool(Reason::RateLimit, Target::Key, CooldownClass::Unknown429))).await;
    assert_eq!(grants(&fleet, "n", 1, false).await, 0);
    hand.store(60_001, SeqCst);
    let probe =
        door(&fleet, "m").door.send(Reserve { demand: Demand::default(), urgent: false }).await.unwrap().unwrap();
    assert_eq!((grants(&fleet, "m", 9, true).await, grants(&fleet, "n", 9, true).await), (0, 0));
    probe.settle_and_learn(Outcome::Served { usage: None, evidence: Evidence::default() }).await;
    assert_eq!((grants(&fleet, "m", 9, false).await, grants(&fleet, "n", 9, false).await), (9, 9));
}

#[actix_rt::test]
async fn a_refusal_for_a_shared_limit_rests_all_who_share_it() {
    let refused = |reason| {
        let hint = Hint { wait: Duration::from_secs(20), basis: Basis::RetryAfterHeader };
        failed(Verdict::cool(reason, Target::Entry, CooldownClass::Unknown429).told(Some(hint)))
    };
    for (limits, reason, of_m, of_n) in [
        ("scope: provider", Reason::RateLimit, 0, 0),
        ("scope: provider", Reason::Quota, 0, 0),
        ("scope: provider", Reason::Concurrency, 0, 1),
        ("scope: model", Reason::RateLimit, 0, 1),
    ] {
        let fleet = fleet_of(&format!("apiKey: k, rateLimits: {{ {limits} }}"), &["m", "n"]);
        let lease =
            door(&fleet, "m").door.send(Reserve { demand: Demand::default(), urgent: false }).await.unwrap().unwrap();
        lease.settle_and_learn(refused(reason)).await;
        let granted = (grants(&fleet, "m", 1, false).await, grants(&fleet, "n", 1, false).await);
        assert_eq!(granted, (of_m, of_n), "{limits} {reason:?}");
    }
}

#[actix_rt::test]
async fn a_day_ends_in_time_after_the_wall_clock_was_set_right() {
    const HOUR: u64 = 3_600_000;
    let (hand, ahead) = Default::default();
    let provider = "apiKey: k, rateLimits: { requestsPerDay: 1, dayResetsAt: 00:00 UTC }";
    let mut fleet = timed(provider, &["m"], &hand, &ahead);
    assert_eq!(grants(&fleet, "m", 5, false).await, 1);
    fleet.changes();
    let shown = |fleet: &Fleet| door(fleet, "m").refusal(Demand::default(), fleet.now().mono);
    // The clock shows noon, and is three hours slow.
    hand.store(9 * HOUR, SeqCst);
    assert!(shown(&fleet).is_some());
    hand.store(1_000, SeqCst);
    ahead.store(3 * HOUR, SeqCst);
    fleet.changes();
    assert!(shown(&fleet).is_some());
    hand.store(9 * HOUR, SeqCst);
    assert_eq!(shown(&fleet), None);
    assert_eq!(grants(&fleet, "m", 5, false).await, 1);
    // Set back in the new day: it lasts longer.
    fleet.changes();
    ahead.store(0, SeqCst);
    fleet.changes();
    hand.store(9 * HOUR + 24 * HOUR, SeqCst);
    assert!(shown(&fleet).is_some());
    hand.store(12 * HOUR + 24 * HOUR, SeqCst);
    assert_eq!(shown(&fleet), None);
}
