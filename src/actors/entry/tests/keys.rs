//! An entry with several keys.

use super::*;

/// An entry with two keys, each with a limit of requests of its own.
fn two_keys(hand: &Hand, limits: [u64; 2]) -> (Recipient<Reserve>, Rc<RefCell<Posted>>) {
    let now = hand.now();
    let model = Posted::shared(Owner::Model, Ledger::default(), now);
    let lane = |limit| {
        let bucket =
            Bucket::new(Dimension::Requests, Some(MINUTE), limit, Refill::Rolling, Source::Configured, now.mono);
        let own = Posted::shared(Owner::Lane, Ledger::new(None, vec![bucket]).called(None), now);
        let key = Posted::shared(Owner::Key, Ledger::default(), now);
        Lane { ledgers: vec![own, Rc::clone(&model), key], announced: Owner::Lane, steady: false }
    };
    (start("m", limits.map(lane).into(), hand), model)
}

#[actix_rt::test]
async fn the_key_with_most_headroom_serves() {
    let (door, _) = two_keys(&Hand::default(), [4, 8]);
    let mut keys = Vec::new();
    let mut held = Vec::new();
    while let Ok(lease) = door.send(Reserve { demand: SMALL, urgent: false }).await.unwrap() {
        keys.push(lease.lane());
        held.push(lease);
    }
    assert_eq!(keys.iter().filter(|key| **key == 0).count(), 4);
    assert_eq!(keys.iter().filter(|key| **key == 1).count(), 8);
    assert_eq!(keys[..3], [0, 1, 1], "by the part that is left");
}

/// LESSONS F6 and F10: the refusal of one key benched the model for all keys.
#[actix_rt::test]
async fn f6_f10_a_dead_or_spent_key_rests_alone_and_a_sick_model_for_all() {
    let hand = Hand::default();
    let (door, model) = two_keys(&hand, [10, 10]);
    let ask = || async { door.send(Reserve { demand: SMALL, urgent: false }).await.unwrap() };
    let dead = Verdict::cool(Reason::Auth, Target::Key, CooldownClass::Auth);
    let mut first = ask().await.unwrap();
    first.begin();
    assert_eq!(first.lane(), 0);
    first.settle_and_learn(failed(dead, 401)).await;
    let mut second = ask().await.unwrap();
    second.begin();
    assert_eq!(second.lane(), 1, "the other key goes on");
    second.settle_and_learn(rate_limited(9)).await;
    assert_eq!(ends(&ask().await.unwrap_err()), Some(9_000), "the first key to be back is told");
    hand.set(9_000);
    let mut third = ask().await.unwrap();
    third.begin();
    let sick = Verdict::cool(Reason::Overload, Target::Entry, CooldownClass::Overload);
    third.settle_and_learn(failed(sick, 503)).await;
    assert!(model.borrow().cooldown(hand.now().mono).is_some());
    assert_eq!(ends(&ask().await.unwrap_err()), Some(19_000));
}
