use proptest::prelude::*;

use super::*;
use crate::domain::evidence::{DAY, Reading, Reset, ResetKind};
use crate::domain::time::Wall;

const START: u64 = 100 * 86_400_000;

fn at(millis: u64) -> Now {
    Now { mono: Mono(START + millis), wall: Wall(1_795_521_600_000 + millis) }
}

fn mono(millis: u64) -> Mono {
    at(millis).mono
}

fn per_minute(limit: u64, source: Source) -> Bucket {
    Bucket::new(Dimension::Requests, Some(MINUTE), limit, Refill::Rolling, source, mono(0))
}

fn reading(limit: u64, remaining: u64, reset: Option<(u64, ResetKind)>) -> Reading {
    Reading {
        dimension: Dimension::Requests,
        window: Some(MINUTE),
        limit: Some(limit),
        remaining: Some(remaining),
        reset: reset.map(|(after, kind)| Reset { after: Duration::from_millis(after), kind }),
    }
}

/// An answer to a call that was granted at that time, with nothing else under way.
fn alone(granted: u64) -> Sight {
    Sight { granted: mono(granted), unseen: 0, unheard: 0, held: 0, counted: 0 }
}

#[test]
fn a_rolling_window_gives_each_charge_back_a_span_later() {
    let mut bucket = per_minute(2, Source::Configured);
    bucket.charge(1, mono(0));
    bucket.charge(1, mono(20_000));
    assert_eq!((bucket.left(), bucket.when(1, 0, mono(20_000))), (0, Some(mono(60_250))));
    assert_eq!(bucket.when(2, 0, mono(20_000)), Some(mono(80_250)));
    bucket.advance(at(60_249));
    assert_eq!(bucket.left(), 0);
    bucket.advance(at(60_250));
    assert_eq!(bucket.left(), 1);
}

#[test]
fn an_announced_end_gives_everything_back_at_once() {
    let mut bucket = per_minute(20, Source::Header);
    bucket.charge(1, mono(0));
    bucket.observe(&reading(20, 5, Some((3_000, ResetKind::WindowEnd))), Source::Header, alone(0), mono(10));
    assert_eq!((bucket.left(), bucket.when(6, 0, mono(10))), (5, Some(mono(3_260))));
    bucket.advance(at(3_259));
    assert_eq!(bucket.left(), 5);
    bucket.advance(at(3_260));
    assert_eq!(bucket.left(), 20);
}

/// Resets in whole seconds are rounded up: each answer bounds the end from above.
#[test]
fn of_several_ends_told_of_one_window_the_first_counts() {
    let mut bucket = per_minute(20, Source::Header);
    for (now, after) in [(100, 60_000), (900, 60_000), (1_100, 59_000), (2_050, 59_000)] {
        bucket.observe(&reading(20, 10, Some((after, ResetKind::WindowEnd))), Source::Header, alone(now), mono(now));
    }
    assert_eq!(*bucket.refill(), Refill::Ending(mono(60_100)));
}

/// The head of a stream that was written at admission and came six seconds later.
#[test]
fn an_end_that_is_told_late_is_no_new_window() {
    let mut bucket = per_minute(2, Source::Header);
    bucket.charge(1, mono(0));
    bucket.charge(1, mono(100));
    bucket.observe(&reading(2, 0, Some((50_500, ResetKind::WindowEnd))), Source::Header, alone(0), mono(10));
    bucket.observe(&reading(2, 0, Some((50_400, ResetKind::WindowEnd))), Source::Header, alone(100), mono(6_100));
    assert_eq!((bucket.left(), bucket.refill()), (0, &Refill::Ending(mono(50_510))));
}

/// One of six was used and a part of it is back already: the minute that it takes is longer than it looks.
#[test]
fn what_is_told_in_whole_units_makes_no_rate_too_high() {
    let mut bucket = Bucket::new(Dimension::Requests, None, 6, Refill::Rolling, Source::Header, mono(0));
    let told = Reading { window: None, ..reading(6, 5, Some((9_690, ResetKind::Full))) };
    bucket.observe(&told, Source::Header, alone(0), mono(310));
    assert_eq!(*bucket.refill(), Refill::Steady(6.0 / 60_000.0));
}

#[test]
fn what_is_overdrawn_has_to_come_back_first() {
    let mut bucket = per_minute(10, Source::Configured);
    bucket.charge(10, mono(0));
    bucket.charge(1, mono(400));
    assert_eq!(bucket.when(1, 0, mono(500)), Some(mono(60_250)));
    assert_eq!(bucket.when(10, 0, mono(500)), Some(mono(60_650)));
}

/// What may belong to the next window shares no cell with what does not.
#[test]
fn a_charge_shortly_before_an_end_takes_no_others_over_it() {
    let mut bucket = Bucket::new(Dimension::Requests, Some(DAY), 10, Refill::Rolling, Source::Header, mono(0));
    let told = Reading { window: Some(DAY), ..reading(10, 10, Some((60_500, ResetKind::WindowEnd))) };
    bucket.observe(&told, Source::Header, alone(0), mono(0));
    bucket.charge(5, mono(60_000));
    bucket.charge(1, mono(60_400));
    bucket.advance(at(60_750));
    assert_eq!(bucket.left(), 9);
}

/// What a waiting line needs: how many calls there will have been by then, if each is made as soon as it can.
#[test]
fn what_comes_back_and_is_used_again_comes_back_a_window_later() {
    let mut bucket = per_minute(2, Source::Configured);
    bucket.charge(1, mono(0));
    bucket.charge(1, mono(20_000));
    bucket.advance(at(20_000));
    let by = |wait: u64| bucket.released_by(0, mono(20_000), mono(20_000 + wait));
    assert_eq!([0, 40_249, 40_250, 60_249, 60_250, 100_500, 120_500].map(by), [0, 0, 1, 1, 2, 3, 4]);
}

/// `reset` of Groq and OpenAI says when the bucket is full: a rate. 1 of 1000 per day takes 86.4 s.
#[test]
fn a_full_reset_is_a_rate_and_no_wait() {
    let mut bucket = Bucket::new(Dimension::Requests, Some(DAY), 1_000, Refill::Rolling, Source::Header, mono(0));
    let spent = Reading { window: Some(DAY), ..reading(1_000, 0, Some((86_400_000, ResetKind::Full))) };
    bucket.observe(&spent, Source::Header, alone(0), mono(0));
    assert_eq!(bucket.when(1, 0, mono(0)), Some(mono(86_400)));
    bucket.advance(at(86_399));
    assert_eq!(bucket.left(), 0);
    bucket.advance(at(86_400));
    assert_eq!(bucket.left(), 1);
    assert_eq!(bucket.full_again(mono(86_400)), Some(mono(86_400_000)));
}

#[test]
fn with_nothing_else_under_way_an_answer_is_taken_at_its_word() {
    let mut bucket = per_minute(30, Source::Header);
    bucket.charge(1, mono(0));
    // Another program uses the key, too.
    bucket.observe(&reading(30, 12, None), Source::Header, alone(0), mono(50));
    assert_eq!(bucket.left(), 12);
    // The provider does not count what was refused.
    bucket.charge(1, mono(100));
    bucket.observe(&reading(30, 12, None), Source::Header, alone(100), mono(150));
    assert_eq!(bucket.left(), 12);
}

#[test]
fn with_calls_under_way_the_count_stands_between_the_bounds() {
    let mut bucket = per_minute(100, Source::Header);
    for _ in 0..64 {
        bucket.charge(1, mono(0));
    }
    // The first of 64 answers knows of 10 calls at least: 54 others may have come by then, or not.
    let sight = Sight { granted: mono(0), unseen: 63, unheard: 63, held: 0, counted: 0 };
    bucket.observe(&reading(100, 90, None), Source::Header, sight, mono(20));
    assert_eq!(bucket.left(), 36, "the count of 64 is believed");
    bucket.observe(&reading(100, 20, None), Source::Header, sight, mono(30));
    assert_eq!(bucket.left(), 20, "somebody else has used 16");
}

#[test]
fn an_answer_older_than_the_last_merged_changes_nothing() {
    let mut bucket = per_minute(30, Source::Header);
    bucket.observe(&reading(30, 5, None), Source::Header, alone(200), mono(250));
    let before = bucket.clone();
    bucket.observe(&reading(30, 25, Some((1_000, ResetKind::WindowEnd))), Source::Header, alone(100), mono(300));
    assert_eq!(bucket, before);
}

#[test]
fn a_promised_next_is_kept() {
    let mut bucket = per_minute(5, Source::Learnt);
    bucket.observe(&reading(5, 0, Some((38_200, ResetKind::Next))), Source::Learnt, alone(0), mono(0));
    assert_eq!(bucket.when(1, 0, mono(0)), Some(mono(38_200)));
}

#[test]
fn what_nobody_has_told_the_limit_of_recovers_all_the_same() {
    let mut bucket = per_minute(1, Source::Header).without_limit();
    let spent = Reading { limit: None, ..reading(1, 0, None) };
    bucket.charge(1, mono(0));
    bucket.observe(&spent, Source::Header, alone(0), mono(10));
    assert_eq!((bucket.left(), bucket.told_limit()), (0, None));
    bucket.advance(at(60_300));
    assert_eq!(bucket.left(), 1);
}

#[test]
fn memory_survives_with_times_on_the_wall() {
    let mut rolling = per_minute(10, Source::Header);
    rolling.charge(4, mono(0));
    rolling.charge(3, mono(30_000));
    let mut steady = Bucket::new(Dimension::Tokens, Some(MINUTE), 6_000, Refill::Steady(0.1), Source::Learnt, mono(0));
    steady.charge(6_000, mono(0));
    steady.advance(at(30_000));
    // Ten seconds later in a new process, whose monotonic clock has started again.
    let then = Now { mono: Mono(START + 77), wall: at(40_000).wall };
    let revived = rolling.remember(1, at(30_000)).revive(then).unwrap();
    assert_eq!(revived.left(), 2, "what was held counts as used");
    assert_eq!(revived.when(6, 0, then.mono), Some(Mono(then.mono.0 + 20_250)));
    assert_eq!(steady.remember(0, at(30_000)).revive(then).unwrap().left(), 3_975, "full until the call arrived");
    let hours = Now { mono: Mono(START), wall: at(7_200_000).wall };
    assert_eq!(rolling.remember(1, at(30_000)).revive(hours).unwrap().left(), 10);
}

#[test]
fn memory_of_another_limit_is_not_taken() {
    let mut old = per_minute(10, Source::Configured);
    old.charge(4, mono(0));
    let memory = old.remember(0, at(0));
    let mut same = per_minute(10, Source::Configured);
    assert!(memory.restore_into(&mut same, at(1_000)) && same.left() == 6);
    let mut other = per_minute(11, Source::Configured);
    assert!(!memory.restore_into(&mut other, at(1_000)) && other.left() == 11);
    assert!(memory.revive(at(0)).is_none());
}

proptest! {
    /// Whatever fits into a rolling bucket fits into every window of that length, wherever its provider's begin.
    #[test]
    fn no_window_ever_holds_more_than_the_limit(
        limit in 1u64..20,
        steps in prop::collection::vec((0u64..9_000, 1u64..4), 1..150),
        late in 0u64..250,
    ) {
        let mut bucket = per_minute(limit, Source::Configured);
        let (mut now, mut made) = (0, Vec::new());
        for (pause, amount) in steps {
            now += pause;
            bucket.advance(at(now));
            let amount = amount.min(limit);
            match bucket.when(amount, 0, mono(now)) {
                Some(when) if when <= mono(now) => {
                    bucket.charge(amount, mono(now));
                    // The call takes up to a quarter of a second to the provider.
                    made.push((now + if made.len() % 2 == 0 { late } else { 0 }, amount));
                }
                Some(when) => {
                    // The time that is told is neither too early nor a millisecond too late.
                    let mut early = bucket.clone();
                    early.advance(at(when.0 - START - 1));
                    prop_assert!(early.left() < amount);
                    early.advance(at(when.0 - START));
                    prop_assert!(early.left() >= amount);
                }
                None => prop_assert!(false, "nothing is held"),
            }
        }
        for (begin, _) in &made {
            let inside = made.iter().filter(|(at, _)| at >= begin && *at < begin + 60_000);
            prop_assert!(inside.map(|(_, amount)| amount).sum::<u64>() <= limit);
        }
    }

    /// Readings of any kind leave the books in order.
    #[test]
    fn any_reading_leaves_a_sane_bucket(
        readings in prop::collection::vec((any::<u64>(), any::<u64>(), 0u8..5, any::<u32>(), any::<u16>(), 0u64..200_000), 1..40),
    ) {
        let mut bucket = per_minute(10, Source::Header);
        let mut now = 0;
        for (limit, remaining, kind, after, unseen, pause) in readings {
            now += pause;
            bucket.advance(at(now));
            bucket.charge(1, mono(now));
            let kind = match kind { 0 => None, 1 => Some(ResetKind::Full), 2 => Some(ResetKind::Next), _ => Some(ResetKind::WindowEnd) };
            let reading = Reading {
                limit: (limit % 3 > 0).then_some(limit),
                remaining: (remaining % 5 > 0).then_some(remaining),
                ..reading(1, 1, kind.map(|kind| (u64::from(after), kind)))
            };
            let sight = Sight { granted: mono(now), unseen: unseen.into(), unheard: 0, held: 0, counted: 0 };
            bucket.observe(&reading, Source::Header, sight, mono(now));
            prop_assert!(bucket.left() <= bucket.limit() && bucket.limit() > 0);
            let whole = bucket.when(bucket.limit(), 0, mono(now));
            prop_assert!(whole.is_some(), "nothing is held, so it comes back: {bucket:?}");
        }
    }
}

#[test]
fn more_used_than_there_was_moves_the_time_at_which_something_fits() {
    let mut bucket = per_minute(10, Source::Configured);
    bucket.charge(1, mono(0));
    bucket.charge(14, mono(30_000));
    let when = bucket.when(1, 0, mono(30_000)).unwrap();
    bucket.advance(Now { mono: when, ..at(0) });
    assert!(bucket.left() >= 1, "promised for {} and nothing there", when.0 - START);
}

fn beside(granted: u64, unseen: u64) -> Sight {
    Sight { granted: mono(granted), unseen, unheard: unseen, held: 0, counted: 0 }
}

#[test]
fn a_late_answer_with_an_old_reset_opens_no_new_window() {
    let mut bucket = per_minute(10, Source::Header);
    for n in 0..10 {
        bucket.charge(1, mono(n * 100));
    }
    bucket.observe(&reading(10, 9, Some((60_000, ResetKind::WindowEnd))), Source::Header, beside(0, 9), mono(1_000));
    assert_eq!(bucket.left(), 0);
    // The second call was answered after 20 s; its head was made when it was admitted.
    bucket.observe(&reading(10, 8, Some((59_900, ResetKind::WindowEnd))), Source::Header, beside(100, 8), mono(20_100));
    assert_eq!(bucket.left(), 0, "all ten were charged in this window");
}

#[test]
fn a_burst_is_not_given_back_for_one_that_fits() {
    let mut bucket = per_minute(10, Source::Header);
    for _ in 0..10 {
        bucket.charge(1, mono(0));
    }
    let next = Some((5_000, ResetKind::Next));
    bucket.observe(&reading(10, 0, next), Source::Header, beside(50, 0), mono(60));
    bucket.advance(at(5_400));
    assert_eq!(bucket.left(), 1);
}

#[test]
fn calls_under_way_at_the_end_of_a_window_are_in_the_next_one() {
    let mut bucket = per_minute(10, Source::Header);
    let end = Some((60_000, ResetKind::WindowEnd));
    bucket.charge(1, mono(0));
    // "60", rounded up: the window ends at 59.2 s.
    bucket.observe(&reading(10, 9, end), Source::Header, beside(0, 0), mono(10));
    bucket.advance(at(59_300));
    for _ in 0..9 {
        bucket.charge(1, mono(59_300));
    }
    // The first of nine that were made together is answered; eight are under way.
    bucket.observe(&reading(10, 9, end), Source::Header, beside(59_300, 8), mono(59_400));
    assert!(bucket.left() <= 1, "{} left beside eight calls under way", bucket.left());
}
