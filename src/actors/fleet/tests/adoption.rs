//! What becomes of entries, ledgers and calls under way when the configuration changes.

use std::rc::{Rc, Weak};

use super::*;
use crate::actors::books::Changes;
use crate::actors::posted::Posted;
use crate::domain::usage::Usage;

/// A configuration of providers (id and further members) and of models that the one chain has of them.
fn configured(providers: &[(&str, &str)], entries: &[(&str, &str)]) -> Arc<Config> {
    let providers: String = providers
        .iter()
        .map(|(id, more)| format!("  - {{ id: {id}, type: generic-openai, baseUrl: 'http://{id}/v1', {more} }}\n"))
        .collect();
    let entries: Vec<_> =
        entries.iter().map(|(provider, model)| format!("{{ provider: {provider}, model: {model} }}")).collect();
    let yaml = format!(
        "version: 1\nsettings: {{ apiKeys: [a-client-key] }}\nproviders:\n{providers}chains:\n  - name: default\n    entries: [{}]\n",
        entries.join(", ")
    );
    let nothing: [(&str, &str); 0] = [];
    Arc::new(config::parse(&yaml, "test", Path::new("."), &nothing, &Overrides::default()).unwrap())
}

fn started(config: &Arc<Config>) -> Fleet {
    let clock = Clock::from_fn(|| Now { mono: Mono(100 * 86_400_000), wall: Wall(1_795_521_600_000) });
    Fleet::start(Arc::clone(config), clock, Bell::default(), State::new())
}

async fn lease(fleet: &Fleet, model: &str) -> Result<Lease, Refusal> {
    door(fleet, model).door.send(Reserve { demand: Demand::default(), urgent: true }).await.unwrap()
}

fn cool(reason: Reason, target: Target) -> Outcome {
    let hint = Hint { wait: Duration::from_secs(100), basis: Basis::RetryAfterHeader };
    failed(Verdict::cool(reason, target, CooldownClass::Unknown429).told(Some(hint)))
}

fn ledgers(fleet: &Fleet, model: &str) -> Vec<Weak<std::cell::RefCell<Posted>>> {
    fleet.entries[&id(model)].lanes.iter().flat_map(|lane| &lane.ledgers).map(Rc::downgrade).collect()
}

/// Lets actors that nobody knows any more come to their end.
async fn settle_down() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

const P: (&str, &str) = ("p", "apiKey: k");
const Q: (&str, &str) = ("q", "apiKey: q");

#[actix_rt::test]
async fn what_is_the_same_keeps_its_actor_and_what_is_not_keeps_its_ledgers() {
    let entries = [("p", "m"), ("q", "m")];
    let mut fleet = started(&configured(&[P, Q], &entries));
    let serials = |fleet: &Fleet| -> Vec<u64> { fleet.entries.values().map(|running| running.entry.serial).collect() };
    let (before, own) = (serials(&fleet), ledgers(&fleet, "m"));
    fleet.entries[&id("m")].entry.refuses_stream_options.store(true, SeqCst);
    fleet.adopt(configured(&[("p", "apiKey: k, timeout: 5000"), Q], &entries));
    let after = serials(&fleet);
    assert!(before[0] != after[0] && before[1] == after[1], "{before:?} {after:?}");
    for (old, new) in own.iter().zip(ledgers(&fleet, "m")) {
        assert!(old.ptr_eq(&new));
    }
    assert!(fleet.entries[&id("m")].entry.refuses_stream_options.load(SeqCst));
    fleet.adopt(configured(&[("p", "apiKey: k, headers: { X-Team: a }"), Q], &entries));
    assert!(!fleet.entries[&id("m")].entry.refuses_stream_options.load(SeqCst), "it may be another server");
}

#[actix_rt::test]
async fn a_lease_of_the_old_terms_is_settled_in_the_same_ledger() {
    let entries = [("p", "m")];
    let mut fleet = started(&configured(&[("p", "apiKey: k, rateLimits: { concurrentRequests: 1 }")], &entries));
    let held = lease(&fleet, "m").await.unwrap();
    assert!(lease(&fleet, "m").await.is_err());
    fleet.adopt(configured(&[("p", "apiKey: k, rateLimits: { concurrentRequests: 2 }")], &entries));
    let second = lease(&fleet, "m").await.unwrap();
    assert!(matches!(lease(&fleet, "m").await, Err(Refusal::Full { limit: 2 })), "the old call counts");
    held.settle(Outcome::Served { usage: None, evidence: Evidence::default() });
    settle_down().await;
    assert!(lease(&fleet, "m").await.is_ok(), "and its end, too");
    drop(second);
}

#[actix_rt::test]
async fn a_retired_entry_is_gone_with_its_last_call_and_not_before() {
    let both = configured(&[P, Q], &[("p", "m"), ("q", "m")]);
    let mut fleet = started(&both);
    let own = ledgers(&fleet, "m");
    let held = lease(&fleet, "m").await.unwrap();
    fleet.adopt(configured(&[Q], &[("q", "m")]));
    settle_down().await;
    fleet.changes();
    assert!(!fleet.entries.contains_key(&id("m")));
    assert!(own.iter().all(|ledger| ledger.strong_count() > 0), "its call is under way");
    // Comes back meanwhile: the call still counts.
    fleet.adopt(Arc::clone(&both));
    assert_eq!(fleet.entries[&id("m")].lanes[0].in_flight(), 1);
    fleet.adopt(configured(&[Q], &[("q", "m")]));
    held.settle(Outcome::Abandoned { usage: None });
    settle_down().await;
    fleet.changes();
    assert!(own.iter().all(|ledger| ledger.strong_count() == 0), "nobody needs them any more");
}

/// Nothing but what is to be remembered stays of entries that come and go.
#[actix_rt::test]
async fn a_hundred_entries_that_come_and_go_leave_nothing() {
    let mut fleet = started(&configured(&[P], &[("p", "m")]));
    fleet.changes();
    let kept = fleet.books.len();
    for round in 0..100 {
        let name = format!("new-{round}");
        fleet.adopt(configured(&[P], &[("p", "m"), ("p", &name)]));
        drop(lease(&fleet, &name).await.unwrap());
        settle_down().await;
        fleet.adopt(configured(&[P], &[("p", "m")]));
        settle_down().await;
        fleet.changes();
        assert_eq!(fleet.books.len(), kept, "{round}");
    }
}

#[actix_rt::test]
async fn a_removed_entry_keeps_its_cooldown_and_its_ratio_for_when_it_comes_back() {
    let (both, without) = (configured(&[P, Q], &[("p", "m"), ("q", "m")]), configured(&[Q], &[("q", "m")]));
    for put_away in [false, true] {
        let mut fleet = started(&both);
        let usage = Usage { prompt_tokens: 500, completion_tokens: 1, total_tokens: 501, ..Usage::default() };
        let demand = Demand { prompt_bytes: 1_000, generates: true, ..Demand::default() };
        let good = door(&fleet, "m").door.send(Reserve { demand, urgent: true }).await.unwrap().unwrap();
        good.settle_and_learn(Outcome::Served { usage: Some(usage), evidence: Evidence::default() }).await;
        let ratio = fleet.entries[&id("m")].estimate.read();
        lease(&fleet, "m").await.unwrap().settle_and_learn(cool(Reason::RateLimit, Target::Entry)).await.unwrap();
        fleet.adopt(Arc::clone(&without));
        settle_down().await;
        if put_away {
            let changes: Changes = fleet.changes();
            assert!(changes.iter().any(|(name, kept)| name.contains("| p | m |") && kept.is_some()), "{changes:?}");
            assert!(fleet.changes().is_empty(), "it stays in the database");
        }
        fleet.adopt(Arc::clone(&both));
        assert!(matches!(lease(&fleet, "m").await, Err(Refusal::Cooling(_))), "{put_away}");
        assert_eq!(fleet.entries[&id("m")].estimate.read(), ratio);
    }
}

#[actix_rt::test]
async fn keys_keep_their_quota_whatever_their_order_and_a_new_one_has_its_own() {
    let keys = |keys: &str| {
        configured(&[("p", &format!("apiKeys: [{keys}], rateLimits: {{ requestsPerMinute: 1 }}"))], &[("p", "m")])
    };
    let mut fleet = started(&keys("k1, k2"));
    let first = lease(&fleet, "m").await.unwrap();
    let second = lease(&fleet, "m").await.unwrap();
    assert_eq!((first.lane(), second.lane()), (0, 1));
    fleet.adopt(keys("k2, k1"));
    assert!(lease(&fleet, "m").await.is_err(), "spent in any order");
    // This call was never made, and is given back to the key that it was granted for.
    drop(first);
    settle_down().await;
    let again = lease(&fleet, "m").await.unwrap();
    assert_eq!(again.lane(), 1);
    std::mem::forget((second, again));
    fleet.adopt(keys("k2, k3"));
    let third = lease(&fleet, "m").await.unwrap();
    assert_eq!(third.lane(), 1, "the new key");
    std::mem::forget(third);
    fleet.adopt(keys("k1, k2, k3"));
    assert!(lease(&fleet, "m").await.is_err(), "the first one has come back as it was");
}

#[actix_rt::test]
async fn what_models_share_is_one_pool_after_its_limit_has_changed() {
    let pool = |limit: u32| {
        let more = format!("apiKey: k, rateLimits: {{ scope: provider, requestsPerMinute: {limit} }}");
        configured(&[("p", &more)], &[("p", "m"), ("p", "n")])
    };
    let mut fleet = started(&pool(3));
    assert_eq!((grants(&fleet, "m", 2, true).await, grants(&fleet, "n", 9, true).await), (2, 1));
    fleet.adopt(pool(5));
    assert_eq!((grants(&fleet, "n", 1, true).await, grants(&fleet, "m", 9, true).await), (1, 1));
    fleet.adopt(pool(4));
    assert_eq!((grants(&fleet, "n", 9, true).await, grants(&fleet, "m", 9, true).await), (0, 0));
}

#[actix_rt::test]
async fn a_second_key_that_is_taken_away_leaves_behind_what_both_have_shared() {
    let keys = |keys: &str| configured(&[("p", &format!("apiKeys: [{keys}]"))], &[("p", "m")]);
    let mut fleet = started(&keys("k1, k2"));
    lease(&fleet, "m").await.unwrap().settle_and_learn(cool(Reason::ModelGone, Target::Entry)).await.unwrap();
    fleet.adopt(keys("k1"));
    assert!(matches!(lease(&fleet, "m").await, Err(Refusal::Cooling(_))));
}

#[actix_rt::test]
async fn a_provider_that_is_called_otherwise_gets_another_chance_unless_it_is_out_of_quota() {
    for (reason, target, back) in [
        (Reason::ProviderRejected, Target::Provider, true),
        (Reason::Auth, Target::Key, true),
        (Reason::RateLimit, Target::Entry, false),
    ] {
        let mut fleet = started(&configured(&[P], &[("p", "m")]));
        lease(&fleet, "m").await.unwrap().settle_and_learn(cool(reason, target)).await.unwrap();
        fleet.adopt(configured(&[("p", "apiKey: k, timeout: 7")], &[("p", "m")]));
        assert!(lease(&fleet, "m").await.is_err(), "{reason:?}: nothing has been mended");
        fleet.adopt(configured(&[("p", "apiKey: k, headers: { X-Project: right }")], &[("p", "m")]));
        assert_eq!(lease(&fleet, "m").await.is_ok(), back, "{reason:?}");
    }
}
