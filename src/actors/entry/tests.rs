//! The contract of whatever stands behind `Recipient<Reserve>`. A quota store that several replicas share has to pass
//! it as well: `entry_contract!(name, start)`, where `start` gives a door to an entry with these limits.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::*;
use crate::actors::desk::Terms;
use crate::actors::lane::Lane;
use crate::actors::lease::Outcome;
use crate::actors::posted::{Owner, Posted};
use crate::domain::bucket::refill::Refill;
use crate::domain::bucket::{Bucket, Source};
use crate::domain::cooldown::Deadline;
use crate::domain::demand::Demand;
use crate::domain::evidence::{Dimension, Evidence, MINUTE, Reading, Reset, ResetKind, Stated};
use crate::domain::ids::{EntryId, ModelId, ProviderId};
use crate::domain::ledger::{Ledger, Policy};
use crate::domain::outcome::{Basis, CooldownClass, Hint, Reason, Target, Verdict};
use crate::domain::time::{Mono, Now, Wall};
use crate::domain::usage::Usage;

mod keys;

/// What the clock shows at the start of a test.
const START: u64 = 100 * 86_400_000;

/// Time that the test moves.
#[derive(Clone, Default)]
struct Hand(Arc<AtomicU64>);

impl Hand {
    fn clock(&self) -> Clock {
        let hand = Arc::clone(&self.0);
        Clock::from_fn(move || {
            let passed = hand.load(Ordering::SeqCst);
            Now { mono: Mono(START + passed), wall: Wall(1_795_521_600_000 + passed) }
        })
    }

    fn now(&self) -> Now {
        self.clock().now()
    }

    fn set(&self, millis: u64) {
        self.0.store(millis, Ordering::SeqCst);
    }
}

/// Limits of an entry under test.
#[derive(Clone, Copy, Default)]
struct Limits {
    slots: Option<u32>,
    requests_per_minute: Option<u64>,
    tokens_per_minute: Option<u64>,
}

/// About 100 tokens at first sight: 150 bytes, and an answer of 50 at most.
const SMALL: Demand =
    Demand { prompt_bytes: 150, most_output: Some(50), generates: true, batch: false, attachments: false };

fn served() -> Outcome {
    Outcome::Served { usage: None, evidence: Evidence::default() }
}

fn cost(prompt: u64, completion: u64) -> Outcome {
    let usage = Usage {
        prompt_tokens: prompt,
        completion_tokens: completion,
        total_tokens: prompt + completion,
        ..Usage::default()
    };
    Outcome::Served { usage: Some(usage), evidence: Evidence::default() }
}

fn failed(verdict: Verdict, status: u16) -> Outcome {
    Outcome::Failed { verdict, status, reached: status != 0, evidence: Evidence::default() }
}

fn rate_limited(seconds: u64) -> Outcome {
    let hint = Hint { wait: Duration::from_secs(seconds), basis: Basis::RetryAfterHeader };
    failed(Verdict::cool(Reason::RateLimit, Target::Entry, CooldownClass::Unknown429).told(Some(hint)), 429)
}

fn ends(refusal: &Refusal) -> Option<u64> {
    match refusal.end()? {
        Deadline::At(end) => Some(end.0 - START),
        Deadline::Never => None,
    }
}

macro_rules! entry_contract {
    ($name:ident, $start:expr) => {
        mod $name {
            use super::*;

            async fn grant(door: &Recipient<Reserve>) -> Lease {
                let mut lease = door.send(Reserve { demand: SMALL, urgent: false }).await.unwrap().unwrap();
                lease.begin();
                lease
            }

            async fn refusal(door: &Recipient<Reserve>) -> Refusal {
                door.send(Reserve { demand: SMALL, urgent: false }).await.unwrap().unwrap_err()
            }

            #[actix_rt::test]
            async fn grants_as_many_leases_as_allowed_and_takes_each_back_once() {
                let door = $start(Limits { slots: Some(2), ..Limits::default() }, &Hand::default());
                let (first, second) = (grant(&door).await, grant(&door).await);
                assert_eq!(refusal(&door).await, Refusal::Full { limit: 2 });
                drop(first);
                let third = grant(&door).await;
                assert_eq!(refusal(&door).await, Refusal::Full { limit: 2 });
                second.settle(served());
                third.settle(served());
                let _both = (grant(&door).await, grant(&door).await);
                assert_eq!(refusal(&door).await, Refusal::Full { limit: 2 });
            }

            #[actix_rt::test]
            async fn a_grant_that_nobody_receives_gives_itself_back() {
                let door = $start(Limits { slots: Some(1), ..Limits::default() }, &Hand::default());
                for _ in 0..100 {
                    let mut asking = Box::pin(door.send(Reserve { demand: SMALL, urgent: false }));
                    // Polled once, so that the message is on its way, and dropped before the answer is taken.
                    std::future::poll_fn(|cx| {
                        let _ = asking.as_mut().poll(cx);
                        std::task::Poll::Ready(())
                    })
                    .await;
                    drop(asking);
                    tokio::task::yield_now().await;
                }
                grant(&door).await;
            }

            #[actix_rt::test]
            async fn a_cooldown_holds_until_its_deadline_and_no_longer() {
                let hand = Hand::default();
                let door = $start(Limits::default(), &hand);
                let cooldown = grant(&door).await.settle_and_learn(rate_limited(7)).await.unwrap();
                assert_eq!(cooldown.until, Deadline::At(Mono(START + 7_000)));
                hand.set(6_999);
                assert_eq!(ends(&refusal(&door).await), Some(7_000));
                hand.set(7_000);
                grant(&door).await;
            }

            #[actix_rt::test]
            async fn late_evidence_neither_shortens_nor_erases_a_cooldown() {
                let hand = Hand::default();
                let door = $start(Limits::default(), &hand);
                let (early, shorter, longest) = (grant(&door).await, grant(&door).await, grant(&door).await);
                hand.set(10);
                longest.settle_and_learn(rate_limited(3_600)).await;
                let told = shorter.settle_and_learn(rate_limited(1)).await.unwrap();
                assert_eq!(told.until, Deadline::At(Mono(START + 3_600_010)), "told what is in force");
                early.settle(served());
                assert_eq!(ends(&refusal(&door).await), Some(3_600_010));
            }

            #[actix_rt::test]
            async fn an_abandoned_call_is_nobodys_fault() {
                let door = $start(Limits { slots: Some(1), ..Limits::default() }, &Hand::default());
                drop(grant(&door).await);
                grant(&door).await;
            }

            /// LESSONS O1 and F9: what was granted counts at once, and whatever its end is; only what never reached the
            /// provider is given back.
            #[actix_rt::test]
            async fn o1_f9_requests_count_when_granted_and_come_back_only_if_nobody_saw_them() {
                let hand = Hand::default();
                let door = $start(Limits { requests_per_minute: Some(3), ..Limits::default() }, &hand);
                let (one, two, three) = (grant(&door).await, grant(&door).await, grant(&door).await);
                assert_eq!(ends(&refusal(&door).await), Some(60_250), "three are under way");
                one.settle(failed(Verdict::cool(Reason::Server, Target::Request, CooldownClass::ServerError), 500));
                drop(two);
                assert_eq!(ends(&refusal(&door).await), Some(60_250), "failed and abandoned ones count");
                let unreached = Verdict::cool(Reason::Transport, Target::Request, CooldownClass::ServerError);
                three.settle(failed(unreached, 0));
                let unused = door.send(Reserve { demand: SMALL, urgent: false }).await.unwrap().unwrap();
                assert!(door.send(Reserve { demand: SMALL, urgent: false }).await.unwrap().is_err());
                drop(unused);
                grant(&door).await;
                hand.set(60_250);
                let _three = (grant(&door).await, grant(&door).await, grant(&door).await);
            }

            /// LESSONS O3: token limits were never enforced, because nobody told the counter how many there were.
            #[actix_rt::test]
            async fn o3_tokens_are_held_for_calls_and_charged_as_used() {
                let hand = Hand::default();
                let door = $start(Limits { tokens_per_minute: Some(250), ..Limits::default() }, &hand);
                let (one, two) = (grant(&door).await, grant(&door).await);
                let third = refusal(&door).await;
                assert!(matches!(
                    third,
                    Refusal::Spent { dimension: Dimension::Tokens, window: Some(MINUTE), until: None }
                ));
                one.settle(cost(40, 10));
                two.settle(cost(40, 10));
                let three = grant(&door).await;
                three.settle(cost(100, 50));
                let spent = refusal(&door).await;
                assert_eq!(ends(&spent), Some(60_250), "250 of 250 used");
            }

            /// LESSONS F8: a reservation was lost when a stream lasted for long.
            #[actix_rt::test]
            async fn f8_tokens_stay_held_for_as_long_as_the_stream_lasts() {
                let hand = Hand::default();
                let door = $start(Limits { tokens_per_minute: Some(150), ..Limits::default() }, &hand);
                let mut stream = grant(&door).await;
                stream.heard(Evidence::default());
                hand.set(600_000);
                assert!(matches!(refusal(&door).await, Refusal::Spent { dimension: Dimension::Tokens, .. }));
                stream.settle(cost(50, 60));
                assert!(matches!(refusal(&door).await, Refusal::Spent { .. }), "the answer has just been counted");
                hand.set(661_000);
                grant(&door).await;
            }

            #[actix_rt::test]
            async fn a_request_larger_than_the_whole_window_is_told_so() {
                let door = $start(Limits { tokens_per_minute: Some(1_000), ..Limits::default() }, &Hand::default());
                let huge = Demand { prompt_bytes: 100_000, ..SMALL };
                let refusal = door.send(Reserve { demand: huge, urgent: false }).await.unwrap().unwrap_err();
                assert_eq!(refusal, Refusal::TooLarge { need: 15_000, limit: 1_000, window: Some(MINUTE) });
            }

            /// LESSONS F3: headers never influenced who was called.
            #[actix_rt::test]
            async fn f3_what_headers_announce_holds_calls_back() {
                let hand = Hand::default();
                let door = $start(Limits::default(), &hand);
                let reading = Reading {
                    dimension: Dimension::Requests,
                    window: Some(MINUTE),
                    limit: Some(30),
                    remaining: Some(1),
                    reset: Some(Reset { after: Duration::from_secs(20), kind: ResetKind::WindowEnd }),
                };
                let evidence = Evidence { readings: vec![reading], stated: Vec::new() };
                grant(&door).await.settle(Outcome::Served { usage: None, evidence });
                let _last = grant(&door).await;
                assert_eq!(ends(&refusal(&door).await), Some(20_250));
                hand.set(20_250);
                grant(&door).await;
            }

            /// LESSONS F10: a learnt limit only ever went down.
            #[actix_rt::test]
            async fn f10_a_learnt_limit_can_rise_again() {
                let hand = Hand::default();
                let door = $start(Limits::default(), &hand);
                let learn = |limit| {
                    let window = Stated::Window { dimension: Dimension::Requests, window: MINUTE, limit };
                    let verdict = Verdict::cool(Reason::RateLimit, Target::Entry, CooldownClass::Minute);
                    let hint = Hint { wait: Duration::from_secs(1), basis: Basis::RetryAfterHeader };
                    let evidence = Evidence { readings: Vec::new(), stated: vec![window] };
                    Outcome::Failed { verdict: verdict.told(Some(hint)), status: 429, reached: true, evidence }
                };
                grant(&door).await.settle_and_learn(learn(2)).await;
                hand.set(2_000);
                let (one, _two) = (grant(&door).await, grant(&door).await);
                assert!(matches!(refusal(&door).await, Refusal::Spent { dimension: Dimension::Requests, .. }));
                one.settle_and_learn(learn(5)).await;
                hand.set(4_000);
                grant(&door).await;
            }

            /// One call goes first when a cooldown of guessed length ends; the others go when it has an answer.
            #[actix_rt::test]
            async fn one_call_goes_first_after_a_guess() {
                let hand = Hand::default();
                let door = $start(Limits::default(), &hand);
                let silent = failed(Verdict::cool(Reason::RateLimit, Target::Entry, CooldownClass::Unknown429), 429);
                grant(&door).await.settle_and_learn(silent.clone()).await;
                hand.set(60_000);
                let probe = grant(&door).await;
                assert!(matches!(refusal(&door).await, Refusal::Probing { .. }));
                let cooldown = probe.settle_and_learn(silent).await.unwrap();
                assert_eq!(cooldown.until, Deadline::At(Mono(START + 180_000)), "twice as long");
                hand.set(180_000);
                grant(&door).await.settle(served());
                grant(&door).await.settle(served());
                let _several = (grant(&door).await, grant(&door).await);
            }
        }
    };
}

fn in_memory_entry(limits: Limits, hand: &Hand) -> Recipient<Reserve> {
    entry_of("m", limits, Vec::new(), hand)
}

/// An entry with one key, whose calls are charged to these ledgers, too.
fn entry_of(
    model: &str,
    limits: Limits,
    shared: Vec<crate::actors::posted::Shared>,
    hand: &Hand,
) -> Recipient<Reserve> {
    let now = hand.now();
    let bucket = |dimension, limit: Option<u64>| {
        Some(Bucket::new(dimension, Some(MINUTE), limit?, Refill::Rolling, Source::Configured, now.mono))
    };
    let buckets =
        [bucket(Dimension::Requests, limits.requests_per_minute), bucket(Dimension::Tokens, limits.tokens_per_minute)];
    let ledger = Ledger::new(limits.slots, buckets.into_iter().flatten().collect()).called(None);
    let mut ledgers = vec![Posted::shared(Owner::Lane, ledger, now)];
    ledgers.extend(shared);
    let lane = Lane { ledgers, announced: Owner::Lane, steady: false };
    start(model, vec![lane], hand)
}

fn start(model: &str, lanes: Vec<Lane>, hand: &Hand) -> Recipient<Reserve> {
    let id = EntryId { provider: ProviderId::new("p"), model: ModelId::new(model) };
    let second = Duration::from_secs(1);
    let terms = Terms {
        unknown_429: Duration::from_secs(60),
        mid_stream: Policy { threshold: 3, cooldown: second, cooldown_max: second },
        reserves_output: false,
    };
    let desk = Desk::new(id, lanes, Arc::default(), terms);
    EntryActor::new(desk, hand.clock(), Bell::default()).start().recipient()
}

entry_contract!(in_memory, in_memory_entry);

#[actix_rt::test]
async fn what_is_shared_cools_and_counts_for_all_its_entries() {
    let hand = Hand::default();
    let key = Posted::shared(Owner::Key, Ledger::new(Some(2), Vec::new()), hand.now());
    let entry = |model: &str| entry_of(model, Limits::default(), vec![Rc::clone(&key)], &hand);
    let (one, other) = (entry("one"), entry("other"));
    let ask = |door: &Recipient<Reserve>| door.send(Reserve { demand: SMALL, urgent: false });
    let first = ask(&one).await.unwrap().unwrap();
    let second = ask(&other).await.unwrap().unwrap();
    assert_eq!(ask(&one).await.unwrap().unwrap_err(), Refusal::Full { limit: 2 });
    let verdict = Verdict::cool(Reason::Auth, Target::Key, CooldownClass::Auth);
    first.settle_and_learn(failed(verdict, 401)).await.unwrap();
    assert_eq!(ends(&ask(&other).await.unwrap().unwrap_err()), Some(3_600_000));
    assert_eq!(key.borrow().gauge().in_flight(), 1);
    drop(second);
    tokio::task::yield_now().await;
    assert_eq!(key.borrow().gauge().in_flight(), 0);
}
