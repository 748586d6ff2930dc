//! The measuring side is measured itself: with a proxy that knows everything all figures are good, with one that knows
//! nothing they are not.

use crate::support::oracle::Mind;
use crate::support::quota::catalogue;
use crate::support::quota::scenario::Scenario;
use crate::support::stepper;

/// All targets can be met, and it is seen when they are.
#[actix_rt::test]
async fn an_oracle_meets_all_targets() {
    for scenario in catalogue::all() {
        let figures = stepper::run_oracle(Scenario { windows: 2, ..scenario }, Mind::Knowing).await;
        assert!(figures.missed().is_empty(), "{figures:#?}");
        assert_eq!((figures.refused, figures.errors.len()), (0, 0), "{figures:#?}");
        assert!(figures.utilisation <= 1.0 + 1e-9, "{figures:#?}");
        assert!(figures.served > figures.clients, "there was a line: {figures:#?}");
        assert!(figures.calls >= figures.served && figures.calls <= figures.served + figures.clients, "{figures:#?}");
    }
}

/// Whoever sends everything to the first entry is found out.
#[actix_rt::test]
async fn a_blind_proxy_misses_all_targets() {
    let scenario = Scenario { windows: 2, ..catalogue::named("configured-rpm") };
    let figures = stepper::run_oracle(scenario, Mind::Blind).await;
    assert_eq!(figures.missed(), ["false exhaustion", "overshoot", "waste", "utilisation"], "{figures:#?}");
    assert_eq!(figures.overshoot, figures.refused, "the limit was configured: {figures:#?}");
    let errors: usize = figures.errors.values().sum();
    assert_eq!(figures.false_exhaustion, errors, "the other entries had quota all the time: {figures:#?}");
}
