//! The truth that fake providers keep must itself be true: it is held against counting by hand.

use std::time::Duration;

use chain429::domain::time::Wall;
use proptest::prelude::*;

use crate::support::quota::truth::{Admission, Kind, Rule, Share, Ticket, Truth, Unit, Which};

const NO_NEWS: Duration = Duration::ZERO;

fn rule(unit: Unit, limit: u64, window_ms: u64, kind: Kind) -> Rule {
    Rule { unit, limit, window: Duration::from_millis(window_ms), kind }
}

fn requests(limit: u64, kind: Kind) -> Truth {
    Truth::new(vec![rule(Unit::Requests, limit, 1_000, kind)], None, NO_NEWS)
}

fn admitted(truth: &mut Truth, at: u64) -> Ticket {
    match truth.arrive(1, 0, Wall(at)) {
        Admission::Admit(ticket) => ticket,
        refused => panic!("at {at}: {refused:?}"),
    }
}

/// Milliseconds until the next one fits.
fn refused(truth: &mut Truth, at: u64) -> u64 {
    match truth.arrive(1, 0, Wall(at)) {
        Admission::Refuse { which: Which::Rule(0), retry_after: Some(wait) } => {
            u64::try_from(wait.as_millis()).unwrap()
        }
        other => panic!("at {at}: {other:?}"),
    }
}

#[test]
fn a_fixed_window_is_empty_again_at_its_end() {
    let mut truth = requests(2, Kind::Fixed);
    admitted(&mut truth, 900);
    admitted(&mut truth, 950);
    assert_eq!(refused(&mut truth, 999), 1);
    admitted(&mut truth, 1_000);
    admitted(&mut truth, 1_001);
    assert_eq!(refused(&mut truth, 1_100), 900);
    assert_eq!((truth.served(), truth.refused()), (4, 2));
}

#[test]
fn calls_leave_a_rolling_window_one_by_one() {
    let mut truth = requests(2, Kind::Rolling);
    admitted(&mut truth, 900);
    admitted(&mut truth, 950);
    assert_eq!(refused(&mut truth, 1_899), 1);
    admitted(&mut truth, 1_900);
    assert_eq!(refused(&mut truth, 1_900), 50);
    admitted(&mut truth, 1_950);
}

#[test]
fn a_bucket_refills_all_the_time() {
    let mut truth = requests(10, Kind::Refilling);
    for _ in 0..10 {
        admitted(&mut truth, 5_000);
    }
    assert_eq!(refused(&mut truth, 5_000), 100);
    assert_eq!(refused(&mut truth, 5_099), 1);
    admitted(&mut truth, 5_100);
    assert_eq!(refused(&mut truth, 5_150), 50);
    let state = truth.state(0, Wall(5_150));
    assert_eq!((state.limit, state.remaining, state.full), (10, 0, Duration::from_millis(950)));
}

#[test]
fn tokens_are_charged_as_asked_for_and_corrected_at_the_end() {
    let mut truth = Truth::new(vec![rule(Unit::Tokens, 100, 1_000, Kind::Rolling)], None, NO_NEWS);
    let Admission::Admit(first) = truth.arrive(20, 60, Wall(0)) else { panic!("it is empty") };
    let wait = Some(Duration::from_millis(990));
    assert_eq!(truth.arrive(20, 10, Wall(10)), Admission::Refuse { which: Which::Rule(0), retry_after: wait });
    truth.finish(first, 30, Wall(20));
    assert!(matches!(truth.arrive(20, 50, Wall(20)), Admission::Admit(_)));
    assert_eq!(truth.state(0, Wall(20)).remaining, 0);
}

#[test]
fn a_call_above_the_whole_limit_never_fits() {
    for kind in [Kind::Fixed, Kind::Rolling, Kind::Refilling] {
        let mut truth = Truth::new(vec![rule(Unit::Tokens, 100, 1_000, kind)], None, NO_NEWS);
        let never = Admission::Refuse { which: Which::Rule(0), retry_after: None };
        assert_eq!(truth.arrive(90, 11, Wall(0)), never, "{kind:?}");
        assert!(!truth.could_serve(101, Wall(0), NO_NEWS), "{kind:?}");
    }
}

#[test]
fn slots_are_free_when_calls_end_and_not_before() {
    let mut truth = Truth::new(Vec::new(), Some(1), NO_NEWS).configured();
    let ticket = admitted(&mut truth, 0);
    assert_eq!(truth.arrive(1, 0, Wall(500)), Admission::Refuse { which: Which::Slots, retry_after: None });
    truth.finish(ticket, 1, Wall(600));
    admitted(&mut truth, 600);
    assert_eq!(truth.beyond(), 1);
    assert_eq!(truth.share(Which::Slots, Wall(0), Wall(1_000)), Share { used: 1.0, capacity: 1.0 });
    assert_eq!(truth.share(Which::Slots, Wall(0), Wall(2_000)), Share { used: 1.0, capacity: 1.0 });
}

#[test]
fn only_what_was_known_is_overshoot() {
    let mut truth = Truth::new(vec![rule(Unit::Requests, 1, 1_000, Kind::Fixed)], None, Duration::from_millis(10));
    admitted(&mut truth, 0);
    refused(&mut truth, 5);
    assert_eq!(truth.beyond(), 0, "nobody has been told");
    truth.announce(0, Wall(5));
    refused(&mut truth, 15);
    assert_eq!(truth.beyond(), 0, "the call was under way already");
    refused(&mut truth, 16);
    assert_eq!(truth.beyond(), 1);
}

#[test]
fn a_told_wait_is_known_until_it_is_over() {
    let mut truth = requests(1, Kind::Fixed);
    admitted(&mut truth, 0);
    truth.tell(Duration::from_millis(1_200), Wall(100));
    refused(&mut truth, 100);
    assert_eq!(truth.beyond(), 0, "that is the refusal that told it");
    refused(&mut truth, 101);
    admitted(&mut truth, 1_000);
    refused(&mut truth, 1_299);
    assert_eq!(truth.beyond(), 2);
    refused(&mut truth, 1_300);
    assert_eq!(truth.beyond(), 2);
}

#[test]
fn configured_limits_are_known_from_the_start() {
    let mut truth = requests(1, Kind::Rolling).configured();
    admitted(&mut truth, 1);
    refused(&mut truth, 1);
    assert_eq!(truth.beyond(), 1);
}

#[test]
fn what_has_just_come_back_is_no_false_exhaustion() {
    let settled = Duration::from_millis(50);
    for kind in [Kind::Fixed, Kind::Rolling] {
        let mut truth = requests(1, kind);
        admitted(&mut truth, 0);
        for (at, long_enough) in [(999, false), (1_000, false), (1_049, false), (1_050, true)] {
            assert_eq!(truth.could_serve(1, Wall(at), settled), long_enough, "{kind:?} at {at}");
        }
    }
    let mut bucket = requests(10, Kind::Refilling);
    for _ in 0..10 {
        admitted(&mut bucket, 0);
    }
    assert!(!bucket.could_serve(1, Wall(149), settled));
    assert!(bucket.could_serve(1, Wall(150), settled));
    let mut slot = Truth::new(Vec::new(), Some(1), NO_NEWS);
    let ticket = admitted(&mut slot, 0);
    slot.finish(ticket, 1, Wall(100));
    assert!(!slot.could_serve(1, Wall(149), settled));
    assert!(slot.could_serve(1, Wall(150), settled));
}

#[test]
fn shares_add_up() {
    let mut fixed = requests(4, Kind::Fixed);
    for at in [500, 1_000, 1_900, 2_000, 3_000] {
        admitted(&mut fixed, at);
    }
    let share = fixed.share(Which::Rule(0), Wall(1_000), Wall(3_000));
    assert_eq!(share, Share { used: 3.0, capacity: 8.0 });
    let both_touched = fixed.share(Which::Rule(0), Wall(900), Wall(1_100));
    assert_eq!(both_touched, Share { used: 3.0, capacity: 8.0 });

    // One call for three quarters of a window, then another for the half of it that lies in the period.
    let mut rolling = requests(1, Kind::Rolling);
    admitted(&mut rolling, 750);
    admitted(&mut rolling, 2_500);
    let share = rolling.share(Which::Rule(0), Wall(1_000), Wall(3_000));
    assert_eq!(share, Share { used: 1.25, capacity: 2.0 });

    // Full at the start of the period, and refilled twice within it.
    let mut bucket = requests(4, Kind::Refilling);
    for at in [1_000, 1_000, 1_500] {
        admitted(&mut bucket, at);
    }
    assert_eq!(bucket.share(Which::Rule(0), Wall(1_000), Wall(3_000)), Share { used: 3.0, capacity: 10.0 });
    assert_eq!(bucket.share(Which::Rule(0), Wall(1_500), Wall(2_500)), Share { used: 1.0, capacity: 7.0 });
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Fixed), Just(Kind::Rolling), Just(Kind::Refilling)]
}

proptest! {
    /// Whoever comes whenever, no window ever holds more than the limit, and a refusal was necessary.
    #[test]
    fn no_window_holds_more_than_its_limit(
        kind in kinds(),
        limit in 1u64..6,
        gaps in prop::collection::vec(0u64..400, 1..80),
    ) {
        let mut truth = requests(limit, kind);
        let (mut now, mut taken) = (10_000, Vec::<u64>::new());
        for gap in gaps {
            now += gap;
            let able = truth.could_serve(1, Wall(now), NO_NEWS);
            let before = taken.len();
            match truth.arrive(1, 0, Wall(now)) {
                Admission::Admit(_) => taken.push(now),
                Admission::Refuse { retry_after, .. } => {
                    let wait = retry_after.unwrap();
                    prop_assert!(!wait.is_zero());
                    prop_assert!(!truth.could_serve(1, Wall(now).after(wait - Duration::from_millis(1)), NO_NEWS));
                    prop_assert!(truth.could_serve(1, Wall(now).after(wait), NO_NEWS));
                }
            }
            prop_assert_eq!(able, taken.len() > before);
        }
        let count = |from: u64, to: u64| taken.iter().filter(|at| (from..to).contains(*at)).count() as u64;
        for start in &taken {
            match kind {
                Kind::Fixed => prop_assert!(count(start / 1_000 * 1_000, start / 1_000 * 1_000 + 1_000) <= limit),
                Kind::Rolling => prop_assert!(count(*start, start + 1_000) <= limit),
                // A full bucket, and what refills while it is being emptied.
                Kind::Refilling => {
                    for end in taken.iter().filter(|end| *end >= start) {
                        prop_assert!(count(*start, end + 1) <= limit + (end - start) * limit / 1_000);
                    }
                }
            }
        }
    }
}

proptest! {
    // Every millisecond of six windows is tried, over and over.
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However greedy the clients, no more than the capacity is ever used; and all of it when nothing is left lying.
    #[test]
    fn greed_uses_all_of_the_capacity_and_no_more(kind in kinds(), limit in 1u64..20, offset in 0u64..1_000) {
        let mut truth = requests(limit, kind);
        for now in offset..6_000 {
            while matches!(truth.arrive(1, 0, Wall(now)), Admission::Admit(_)) {}
        }
        let Share { used, capacity } = truth.share(Which::Rule(0), Wall(1_000), Wall(6_000));
        prop_assert!(used <= capacity + 1e-9, "{} of {}", used, capacity);
        // Of a bucket, less than one request may be left at the end.
        prop_assert!(used > capacity - 1.0 - 1e-9, "{} of {}", used, capacity);
    }
}
