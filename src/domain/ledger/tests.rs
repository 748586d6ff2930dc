use proptest::prelude::*;

use super::*;
use crate::domain::bucket::refill::Refill;
use crate::domain::cooldown::Deadline;
use crate::domain::evidence::{DAY, HOUR, MINUTE, Reading, Stated};
use crate::domain::outcome::{CooldownClass, Hint, Reason, Target};
use crate::domain::time::Wall;

const NOW: Now = Now { mono: Mono(100 * 86_400_000), wall: Wall(1_795_521_600_000) };
const CALL: Need = Need { tokens: 100, least: 40, typical: 100, batch: false };

fn later(millis: u64) -> Now {
    Now { mono: Mono(NOW.mono.0 + millis), wall: Wall(NOW.wall.0 + millis) }
}

fn bucket(dimension: Dimension, window: Duration, limit: u64) -> Bucket {
    Bucket::new(dimension, Some(window), limit, Refill::Rolling, Source::Configured, NOW.mono)
}

#[test]
fn o2_the_configured_concurrency_is_enforced() {
    let mut ledger = Ledger::new(Some(2), Vec::new());
    for _ in 0..2 {
        ledger.check(CALL, NOW).unwrap();
        ledger.charge(CALL, NOW.mono);
    }
    assert_eq!(ledger.check(CALL, NOW), Err(Refusal::Full { limit: 2 }));
    ledger.settle(CALL, Used::Reserved, NOW.mono, NOW.mono);
    assert_eq!(ledger.check(CALL, NOW), Ok(()));
}

#[test]
fn without_a_limit_there_is_none() {
    let mut ledger = Ledger::default();
    for _ in 0..10_000 {
        ledger.check(CALL, NOW).unwrap();
        ledger.charge(CALL, NOW.mono);
    }
    assert_eq!((ledger.in_flight(), ledger.held()), (10_000, 1_000_000));
}

#[test]
fn the_bucket_that_is_in_the_way_for_longest_is_told() {
    let buckets = vec![bucket(Dimension::Requests, MINUTE, 1), bucket(Dimension::Requests, HOUR, 1)];
    let mut ledger = Ledger::new(None, buckets);
    ledger.charge(CALL, NOW.mono);
    let until = Some(later(3_600_250).mono);
    let refusal = Refusal::Spent { dimension: Dimension::Requests, window: Some(HOUR), until };
    assert_eq!(ledger.check(CALL, NOW), Err(refusal));
    assert_eq!(ledger.check(CALL, later(3_600_250)), Ok(()));
}

/// LESSONS O4: headers replaced the configured limits, and refused calls were not counted.
#[test]
fn o4_configured_limits_stay_in_force_beside_announced_ones() {
    let mut ledger = Ledger::new(None, vec![bucket(Dimension::Requests, MINUTE, 2)]);
    let (mark, _) = ledger.charge(CALL, NOW.mono);
    let reading = Reading {
        dimension: Dimension::Requests,
        window: Some(MINUTE),
        limit: Some(1_000),
        remaining: Some(999),
        reset: None,
    };
    let answered = Answered { mark, granted: NOW.mono, own: 0, steady: false };
    ledger.observe(&reading, Source::Header, &answered, NOW);
    ledger.settle(CALL, Used::Request, NOW.mono, NOW.mono);
    ledger.check(CALL, NOW).unwrap();
    ledger.charge(CALL, NOW.mono);
    assert!(matches!(ledger.check(CALL, NOW), Err(Refusal::Spent { .. })));
    assert_eq!(ledger.buckets().len(), 2);
}

#[test]
fn a_guess_larger_than_the_window_takes_all_of_it_and_a_certainty_never_fits() {
    let mut ledger = Ledger::new(None, vec![bucket(Dimension::Tokens, MINUTE, 1_000)]);
    let guess = Need { tokens: 30_000, least: 900, typical: 30_000, batch: false };
    ledger.check(guess, NOW).unwrap();
    ledger.charge(Need { tokens: 1, least: 1, ..Need::default() }, NOW.mono);
    assert!(matches!(ledger.check(guess, NOW), Err(Refusal::Spent { dimension: Dimension::Tokens, .. })));
    let certainty = Need { tokens: 30_000, least: 1_001, ..Need::default() };
    let refusal = Refusal::TooLarge { need: 1_001, limit: 1_000, window: Some(MINUTE) };
    assert_eq!(ledger.check(certainty, NOW), Err(refusal));
    let mut small = Ledger::default().called(Some(500));
    let refusal = Refusal::TooLarge { need: 1_001, limit: 500, window: None };
    assert_eq!(small.check(certainty, NOW), Err(refusal));
}

#[test]
fn a_guess_larger_than_the_window_starts_when_what_is_typical_of_it_fits_and_then_alone() {
    let mut ledger = Ledger::new(None, vec![bucket(Dimension::Tokens, MINUTE, 6_000)]);
    let small = Need { tokens: 300, least: 100, typical: 300, batch: false };
    ledger.charge(small, NOW.mono);
    ledger.settle(small, Used::Tokens { prompt: 100, answer: 200 }, NOW.mono, NOW.mono);
    let guess = Need { tokens: 8_100, least: 50, typical: 600, batch: false };
    ledger.check(guess, NOW).unwrap();
    ledger.charge(guess, NOW.mono);
    assert!(matches!(ledger.check(small, NOW), Err(Refusal::Spent { dimension: Dimension::Tokens, .. })));
    ledger.settle(guess, Used::Tokens { prompt: 100, answer: 200 }, NOW.mono, NOW.mono);
    assert_eq!(ledger.check(small, NOW), Ok(()));
}

#[test]
fn a_context_does_not_limit_a_batch_and_a_window_does() {
    let batch = |tokens| Need { tokens, least: tokens, typical: tokens, batch: true };
    let mut ledger = Ledger::new(None, vec![bucket(Dimension::Tokens, MINUTE, 1_000)]).called(Some(500));
    let single = Need { batch: false, ..batch(501) };
    assert!(matches!(ledger.check(single, NOW), Err(Refusal::TooLarge { limit: 500, window: None, .. })));
    assert_eq!(ledger.check(batch(1_000), NOW), Ok(()));
    let refusal = Refusal::TooLarge { need: 1_001, limit: 1_000, window: Some(MINUTE) };
    assert_eq!(ledger.check(batch(1_001), NOW), Err(refusal));
    let mut small = Ledger::default().called(Some(500));
    assert_eq!(small.check(batch(9_000), NOW), Ok(()));
}

#[test]
fn a_stated_context_is_forgotten_after_a_day() {
    let mut ledger = Ledger::default();
    ledger.learn(Stated::Context(500), false, NOW);
    let long = Need { tokens: 600, least: 600, ..Need::default() };
    assert!(matches!(ledger.check(long, later(86_400_000)), Err(Refusal::TooLarge { window: None, .. })));
    assert_eq!(ledger.check(long, later(86_400_001)), Ok(()));
}

#[test]
fn memory_keeps_cooldowns_and_counters_under_the_same_limits_only() {
    let fresh = || Ledger::new(None, vec![bucket(Dimension::Requests, DAY, 10)]);
    let mut ledger = fresh();
    for _ in 0..7 {
        ledger.charge(CALL, NOW.mono);
        ledger.settle(CALL, Used::Request, NOW.mono, NOW.mono);
    }
    let hint = Some(Hint { wait: Duration::from_secs(600), basis: Basis::RetryAfterHeader });
    let verdict = Verdict::cool(Reason::RateLimit, Target::Entry, CooldownClass::Unknown429).told(hint);
    ledger.chill(&verdict, 429, NOW.mono, NOW.mono, MINUTE);
    let kept = serde_json::to_vec(&ledger.remember("ten a day", NOW).unwrap()).unwrap();
    let memory = serde_json::from_slice(&kept).unwrap();

    let mut restored = fresh();
    assert!(restored.restore(&memory, "ten a day", later(599_999)));
    assert!(matches!(restored.check(CALL, later(599_999)), Err(Refusal::Cooling(_))));
    assert_eq!(restored.check(CALL, later(600_000)), Ok(()));
    assert_eq!(restored.buckets().first().unwrap().left(), 3);

    let mut over = fresh();
    over.restore(&memory, "ten a day", later(600_000));
    assert!(over.cooldowns.active(later(600_000).mono).is_none());

    let mut other = fresh();
    assert!(!other.restore(&memory, "twenty a day", NOW));
    assert_eq!(other.check(CALL, NOW), Ok(()));
    assert!(fresh().remember("", NOW).is_some() && Ledger::default().remember("", NOW).is_none());
}

proptest! {
    /// Whatever is taken and given back in whatever order: nothing is held in the end, and no limit is ever passed.
    #[test]
    fn reservations_balance(
        slots in 1u32..8,
        limit in 1u64..40,
        script in prop::collection::vec((any::<bool>(), 1u64..400, 0u64..20_000, 0u8..4), 0..200),
    ) {
        let buckets = vec![bucket(Dimension::Requests, MINUTE, limit), bucket(Dimension::Tokens, MINUTE, 1_000)];
        let mut ledger = Ledger::new(Some(slots), buckets);
        let (mut now, mut open) = (NOW, Vec::new());
        for (take, tokens, pause, end) in script {
            now = Now { mono: Mono(now.mono.0 + pause), wall: Wall(now.wall.0 + pause) };
            if take {
                let need = Need { tokens, least: 1, ..Need::default() };
                if ledger.check(need, now).is_ok() {
                    ledger.charge(need, now.mono);
                    open.push((need, now.mono));
                }
            } else if !open.is_empty() {
                let (need, granted) = open.swap_remove(usize::from(end) % open.len());
                let used = match end {
                    0 => Used::Nothing,
                    1 => Used::Request,
                    2 => Used::Reserved,
                    _ => Used::Tokens { prompt: need.tokens / 2, answer: need.tokens / 3 },
                };
                ledger.advance(now);
                ledger.settle(need, used, granted, now.mono);
            }
            prop_assert_eq!(ledger.in_flight() as usize, open.len());
            prop_assert_eq!(ledger.held(), open.iter().map(|(need, _)| need.tokens).sum::<u64>());
            prop_assert!(ledger.in_flight() <= slots);
            let tokens = &ledger.buckets()[1];
            prop_assert!(tokens.limit() - tokens.left() + ledger.held() <= tokens.limit(), "never promised twice");
        }
        for (need, granted) in open {
            ledger.settle(need, Used::Reserved, granted, now.mono);
        }
        prop_assert_eq!((ledger.in_flight(), ledger.held()), (0, 0));
    }
}

#[test]
fn broken_streams_in_a_row_are_remembered() {
    let minutes = |n: u64| Duration::from_secs(60 * n);
    let policy = Policy { threshold: 2, cooldown: minutes(2), cooldown_max: minutes(30) };
    let mut ledger = Ledger::default();
    for _ in 0..3 {
        ledger.broke_off(Reason::Truncated, policy, NOW.mono);
    }
    let then = later(600_000);
    let mut restored = Ledger::default();
    ledger.take_changed();
    assert!(restored.restore(&ledger.remember("", then).unwrap(), "", then));
    let until = Deadline::At(later(600_000 + 240_000).mono);
    match restored.broke_off(Reason::Truncated, policy, then.mono) {
        Change::Cooling(cooldown) => assert_eq!(cooldown.until, until, "the fourth, and the second cooldown"),
        Change::Unchanged => panic!("the fourth in a row"),
    }
    ledger.warm(then.mono);
    assert!(ledger.take_changed(), "it is to be written down that none is broken");
    assert_eq!(ledger.remember("", then), None);
    ledger.broke_off(Reason::Truncated, policy, then.mono);
    assert!(ledger.take_changed(), "the first is to be written down, too");
}

#[test]
fn what_a_window_holds_is_remembered() {
    let granted = |ledger: &mut Ledger, now: Now| {
        let calls = (0..99).take_while(|_| {
            let free = ledger.check(CALL, now).is_ok();
            if free {
                ledger.charge(CALL, now.mono);
            }
            free
        });
        calls.count()
    };
    let mut ledger = Ledger::default().called(None);
    for _ in 0..10 {
        ledger.check(CALL, NOW).unwrap();
        ledger.charge(CALL, NOW.mono);
        ledger.heard(true, false, NOW.mono, NOW.mono);
    }
    let told = Hint { wait: Duration::from_secs(30), basis: crate::domain::outcome::Basis::RetryAfterHeader };
    let verdict = Verdict::cool(Reason::RateLimit, Target::Entry, CooldownClass::Minute).told(Some(told));
    ledger.chill(&verdict, 429, NOW.mono, NOW.mono, MINUTE);
    let then = later(30_000);
    for _ in 0..6 {
        ledger.check(CALL, then).unwrap();
        ledger.charge(CALL, then.mono);
        ledger.heard(true, false, then.mono, then.mono);
    }
    let memory = ledger.remember("", then).unwrap();
    for (wait, room) in [(1_000, 4 + 1), (60_000, 10 + 1)] {
        let mut restored = Ledger::default().called(None);
        assert!(restored.restore(&memory, "", later(30_000 + wait)));
        assert_eq!(granted(&mut restored, later(30_000 + wait)), room, "{wait} ms later");
    }
}

#[test]
fn a_memory_of_an_earlier_version_is_understood() {
    let text = r#"{"at":1795521600000,"limits":"","cooldown":null,"strikes":2,"buckets":[],"context":null}"#;
    let memory: memory::Memory = serde_json::from_str(text).unwrap();
    let mut ledger = Ledger::default();
    assert!(ledger.restore(&memory, "", NOW));
    assert_eq!(ledger.cooldowns.strikes(), 2);
}
