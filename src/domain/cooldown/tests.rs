use proptest::prelude::*;

use super::*;
use crate::domain::outcome::{Hint, Target};

const DEFAULT: Duration = Duration::from_secs(60);
const DAY: u64 = 86_400;

fn told(seconds: u64) -> Verdict {
    let hint = Hint { wait: Duration::from_secs(seconds), basis: Basis::RetryAfterHeader };
    Verdict::cool(Reason::RateLimit, Target::Entry, CooldownClass::Unknown429).told(Some(hint))
}

fn guessed(class: CooldownClass) -> Verdict {
    Verdict::cool(Reason::RateLimit, Target::Entry, class)
}

fn seconds(n: u64) -> Mono {
    Mono(n * 1_000)
}

fn ends(cooldowns: &Cooldowns, now: Mono) -> Option<u64> {
    cooldowns.active(now).map(|cooldown| match cooldown.until {
        Deadline::At(end) => end.0 / 1_000,
        Deadline::Never => u64::MAX,
    })
}

/// Chills with an attempt that was granted just now.
fn chill(cooldowns: &mut Cooldowns, verdict: &Verdict, now: Mono) -> Change {
    cooldowns.chill(verdict, 429, now, now, DEFAULT)
}

#[test]
fn recovery_is_exactly_at_the_deadline() {
    let mut cooldowns = Cooldowns::default();
    chill(&mut cooldowns, &told(2), seconds(10));
    assert!(cooldowns.active(Mono(11_999)).is_some());
    assert!(cooldowns.active(Mono(12_000)).is_none());
    assert!(cooldowns.recover(Mono(11_999)).is_none());
    assert!(cooldowns.recover(Mono(12_000)).is_some());
    assert!(cooldowns.recover(Mono(12_000)).is_none());
}

/// LESSONS O5: a 429 with Retry-After 3600, then an older request finishes well: the entry stays cold.
#[test]
fn o5_a_late_success_does_not_erase_a_cooldown() {
    let mut cooldowns = Cooldowns::default();
    cooldowns.chill(&told(3_600), 429, seconds(1), seconds(5), DEFAULT);
    cooldowns.warm(seconds(2));
    assert_eq!(ends(&cooldowns, seconds(6)), Some(3_605));
    cooldowns.warm(seconds(6));
    assert_eq!(ends(&cooldowns, seconds(6)), Some(3_605));
}

/// LESSONS O6 and F7: a shorter cooldown never replaces a longer one.
#[test]
fn o6_f7_a_shorter_cooldown_never_shortens_a_longer_one() {
    let mut cooldowns = Cooldowns::default();
    chill(&mut cooldowns, &told(DAY), seconds(0));
    let longer = *cooldowns.active(seconds(1)).unwrap();
    assert_eq!(chill(&mut cooldowns, &told(60), seconds(1)), Change::Unchanged);
    assert_eq!(cooldowns.active(seconds(2)), Some(&longer), "deadline, cause and source stay");
    chill(&mut cooldowns, &told(2 * DAY), seconds(2));
    assert_eq!(ends(&cooldowns, seconds(3)), Some(2 * DAY + 2));
}

/// LESSONS O8: a cooldown of more than 24.8 days overflowed a timer and ended after 1 ms.
#[test]
fn o8_a_month_long_cooldown_lasts_a_month() {
    let mut cooldowns = Cooldowns::default();
    chill(&mut cooldowns, &told(30 * DAY), seconds(0));
    assert_eq!(ends(&cooldowns, seconds(29 * DAY)), Some(30 * DAY));
    let mut cooldowns = Cooldowns::default();
    chill(&mut cooldowns, &told(u64::MAX / 2), seconds(0));
    assert_eq!(ends(&cooldowns, seconds(1)), Some(31 * DAY), "clamped, not wrapped");
}

/// LESSONS F4: a one-second hint is a one-second cooldown, whatever the default is.
#[test]
fn f4_a_hint_is_taken_at_its_word() {
    let mut cooldowns = Cooldowns::default();
    chill(&mut cooldowns, &told(1), seconds(0));
    assert_eq!(ends(&cooldowns, Mono(999)), Some(1));
}

/// LESSONS O7: nothing said about time means the default, never 0 ms.
#[test]
fn o7_no_time_at_all_means_the_default_and_repeats_double_it() {
    let mut cooldowns = Cooldowns::default();
    let silent = guessed(CooldownClass::Unknown429);
    let mut now = seconds(0);
    for expected in [60, 120, 240, 480, 600, 600] {
        chill(&mut cooldowns, &silent, now);
        let Deadline::At(end) = cooldowns.active(now).unwrap().until else { panic!("no deadline") };
        assert_eq!(end.since(now), Duration::from_secs(expected));
        now = end;
    }
}

#[test]
fn a_success_halves_the_next_guess() {
    let mut cooldowns = Cooldowns::default();
    let silent = guessed(CooldownClass::Overload);
    for at in [0, 100, 300] {
        chill(&mut cooldowns, &silent, seconds(at));
    }
    assert_eq!(ends(&cooldowns, seconds(300)), Some(340));
    cooldowns.warm(seconds(400));
    cooldowns.warm(seconds(400));
    chill(&mut cooldowns, &silent, seconds(500));
    assert_eq!(ends(&cooldowns, seconds(500)), Some(520));
}

#[test]
fn many_refusals_of_one_episode_count_once() {
    let mut cooldowns = Cooldowns::default();
    let silent = guessed(CooldownClass::Unknown429);
    for late in 0..50 {
        cooldowns.chill(&silent, 429, seconds(1), Mono(2_000 + late), DEFAULT);
    }
    assert_eq!(ends(&cooldowns, seconds(3)), Some(62));
}

/// Nothing is granted while a cooldown lasts, so what was granted in its first millisecond was under way before it.
#[test]
fn the_millisecond_in_which_an_episode_begins_belongs_to_it() {
    let mut cooldowns = Cooldowns::default();
    let silent = guessed(CooldownClass::Unknown429);
    for _ in 0..50 {
        chill(&mut cooldowns, &silent, seconds(1));
    }
    assert_eq!(ends(&cooldowns, seconds(1)), Some(61));
    cooldowns.warm(seconds(1));
    chill(&mut cooldowns, &silent, seconds(61));
    assert_eq!(ends(&cooldowns, seconds(61)), Some(181), "the success proved nothing");
}

/// LESSONS O14: a timeout cools the entry down, and repeats do so for longer.
#[test]
fn o14_a_timeout_cools_down() {
    let mut cooldowns = Cooldowns::default();
    let timeout = Verdict::cool(Reason::Timeout, Target::Entry, CooldownClass::ServerError);
    cooldowns.chill(&timeout, 0, seconds(0), seconds(30), DEFAULT);
    assert_eq!(ends(&cooldowns, seconds(30)), Some(45));
    cooldowns.chill(&timeout, 0, seconds(50), seconds(80), DEFAULT);
    assert_eq!(ends(&cooldowns, seconds(80)), Some(110));
}

#[test]
fn gone_for_good_ends_only_with_the_configuration() {
    let mut cooldowns = Cooldowns::default();
    let gone = Verdict { permanent: true, ..Verdict::cool(Reason::ModelGone, Target::Entry, CooldownClass::ModelGone) };
    chill(&mut cooldowns, &gone, seconds(0));
    assert_eq!(ends(&cooldowns, seconds(400 * DAY)), Some(u64::MAX));
    chill(&mut cooldowns, &told(60), seconds(400 * DAY));
    assert_eq!(ends(&cooldowns, seconds(400 * DAY)), Some(u64::MAX));
}

proptest! {
    /// Whatever arrives in whatever order, the deadline in force never moves closer.
    #[test]
    fn deadlines_never_move_closer(
        steps in prop::collection::vec((0u64..5_000, 0u64..10_000, prop::option::of(0u64..200_000), any::<bool>()), 1..80)
    ) {
        let mut cooldowns = Cooldowns::default();
        let mut now = 0u64;
        for (pause, age, hint, success) in steps {
            now += pause;
            let granted = Mono(now.saturating_sub(age));
            let before = cooldowns.active(Mono(now)).copied();
            if success {
                cooldowns.warm(granted);
            } else {
                let verdict = match hint {
                    Some(ms) => guessed(CooldownClass::Unknown429)
                        .told(Some(Hint { wait: Duration::from_millis(ms), basis: Basis::BodyField })),
                    None => guessed(CooldownClass::Overload),
                };
                cooldowns.chill(&verdict, 429, granted, Mono(now), DEFAULT);
            }
            if let Some(before) = before {
                let after = cooldowns.active(Mono(now)).copied();
                prop_assert!(after.is_some_and(|after| after.until >= before.until));
            }
        }
    }
}
