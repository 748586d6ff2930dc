//! The contract of whatever stands behind `Recipient<Reserve>`. A quota store that several replicas share has to pass
//! it as well: `entry_contract!(name, start)`, where `start` gives a door to an entry with this limit of calls in
//! flight.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actix::Recipient;

use super::*;
use crate::domain::ids::{ModelId, ProviderId};
use crate::domain::outcome::{Basis, CooldownClass, Hint, Reason};
use crate::domain::time::Now;

/// Time that the test moves.
#[derive(Clone, Default)]
struct Hand(Arc<AtomicU64>);

impl Hand {
    fn clock(&self) -> Clock {
        let hand = Arc::clone(&self.0);
        Clock::from_fn(move || Now { mono: Mono(hand.load(Ordering::SeqCst)), ..Now::default() })
    }

    fn set(&self, millis: u64) {
        self.0.store(millis, Ordering::SeqCst);
    }
}

fn rate_limited(seconds: u64) -> Outcome {
    let hint = Hint { wait: Duration::from_secs(seconds), basis: Basis::RetryAfterHeader };
    let verdict = Verdict::cool(Reason::RateLimit, Target::Entry, CooldownClass::Unknown429).told(Some(hint));
    Outcome::Failed { verdict, status: 429 }
}

fn cooling_until(refusal: &Refusal) -> Option<u64> {
    match refusal {
        Refusal::Cooling(Cooldown { until: Deadline::At(end), .. }) => Some(end.0),
        _ => None,
    }
}

macro_rules! entry_contract {
    ($name:ident, $start:expr) => {
        mod $name {
            use super::*;

            async fn grant(door: &Recipient<Reserve>) -> Lease {
                door.send(Reserve).await.unwrap().unwrap()
            }

            async fn refusal(door: &Recipient<Reserve>) -> Refusal {
                door.send(Reserve).await.unwrap().unwrap_err()
            }

            #[actix_rt::test]
            async fn grants_as_many_leases_as_allowed_and_takes_each_back_once() {
                let door = $start(Some(2), &Hand::default());
                let (first, second) = (grant(&door).await, grant(&door).await);
                assert_eq!(refusal(&door).await, Refusal::Full { limit: 2 });
                drop(first);
                let third = grant(&door).await;
                assert_eq!(refusal(&door).await, Refusal::Full { limit: 2 });
                second.settle(Outcome::Served);
                third.settle(Outcome::Served);
                let _both = (grant(&door).await, grant(&door).await);
                assert_eq!(refusal(&door).await, Refusal::Full { limit: 2 });
            }

            #[actix_rt::test]
            async fn a_grant_that_nobody_receives_gives_itself_back() {
                let door = $start(Some(1), &Hand::default());
                for _ in 0..100 {
                    let mut asking = Box::pin(door.send(Reserve));
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
                let door = $start(None, &hand);
                let cooldown = grant(&door).await.settle_and_learn(rate_limited(7)).await.unwrap();
                assert_eq!(cooldown.until, Deadline::At(Mono(7_000)));
                hand.set(6_999);
                assert_eq!(cooling_until(&refusal(&door).await), Some(7_000));
                hand.set(7_000);
                grant(&door).await;
            }

            #[actix_rt::test]
            async fn late_evidence_neither_shortens_nor_erases_a_cooldown() {
                let hand = Hand::default();
                let door = $start(None, &hand);
                let (early, shorter, longest) = (grant(&door).await, grant(&door).await, grant(&door).await);
                hand.set(10);
                longest.settle_and_learn(rate_limited(3_600)).await;
                let told = shorter.settle_and_learn(rate_limited(1)).await.unwrap();
                assert_eq!(told.until, Deadline::At(Mono(3_600_010)), "told what is in force");
                early.settle(Outcome::Served);
                assert_eq!(cooling_until(&refusal(&door).await), Some(3_600_010));
            }

            #[actix_rt::test]
            async fn an_abandoned_call_is_nobodys_fault() {
                let door = $start(Some(1), &Hand::default());
                drop(grant(&door).await);
                grant(&door).await;
            }
        }
    };
}

fn in_memory_entry(limit: Option<u32>, hand: &Hand) -> Recipient<Reserve> {
    let id = EntryId { provider: ProviderId::new("p"), model: ModelId::new("m") };
    let ledgers = vec![Posted::shared(Target::Entry, limit)];
    EntryActor::new(id, ledgers, hand.clock(), Duration::from_secs(60)).start().recipient()
}

entry_contract!(in_memory, in_memory_entry);

#[actix_rt::test]
async fn what_is_shared_cools_and_counts_for_all_its_entries() {
    let hand = Hand::default();
    let key = Posted::shared(Target::Key, Some(2));
    let entry = |model: &str| {
        let id = EntryId { provider: ProviderId::new("p"), model: ModelId::new(model) };
        let ledgers = vec![Posted::shared(Target::Entry, None), Rc::clone(&key)];
        EntryActor::new(id, ledgers, hand.clock(), Duration::from_secs(60)).start()
    };
    let (one, other) = (entry("one"), entry("other"));
    let first = one.send(Reserve).await.unwrap().unwrap();
    let second = other.send(Reserve).await.unwrap().unwrap();
    assert_eq!(one.send(Reserve).await.unwrap().unwrap_err(), Refusal::Full { limit: 2 });
    let verdict = Verdict::cool(Reason::Auth, Target::Key, CooldownClass::Auth);
    first.settle_and_learn(Outcome::Failed { verdict, status: 401 }).await.unwrap();
    assert_eq!(cooling_until(&other.send(Reserve).await.unwrap().unwrap_err()), Some(3_600_000));
    assert_eq!(key.borrow().gauge().in_flight(), 1);
    drop(second);
    tokio::task::yield_now().await;
    assert_eq!(key.borrow().gauge().in_flight(), 0);
}
