//! Thousands of histories of the quota core in virtual time, against providers that know their true quota: entries,
//! limits, dialects, latencies, failures, restarts and clocks that jump, in all combinations.
//!
//! `HISTORY_CASES` sets how many, `HISTORY_SEED` which ones. A history that fails is printed as JSON in its smallest
//! form; put into `tests/history/cases/` it is run by every gate from then on.

mod checks;
mod plan;
mod provider;
mod proxy;
mod world;

use std::cell::Cell;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};

use self::plan::{Plan, plans};
use self::world::World;

const CASES: u32 = 2_000;
const SEED: u64 = 429;

fn number<T: std::str::FromStr>(name: &str, default: T) -> T {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

#[test]
fn no_history_breaks_a_promise() {
    let (cases, seed) = (number("HISTORY_CASES", CASES), number("HISTORY_SEED", SEED));
    let config = Config {
        cases,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: number("HISTORY_SHRINKS", 20_000),
        ..Config::default()
    };
    let totals = [const { Cell::new(0) }; 5];
    let result = TestRunner::new(config).run(&plans(), |plan| {
        let checks = catch_unwind(AssertUnwindSafe(|| World::new(&plan).run())).map_err(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            TestCaseError::fail(
                text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default(),
            )
        })?;
        let parts = [checks.grants, checks.refusals, checks.exhausted, checks.turned_away, checks.exact];
        totals.iter().zip(parts).for_each(|(total, part)| total.set(total.get() + part));
        Ok(())
    });
    let [grants, refusals, exhausted, turned_away, exact] = totals.map(|total| total.get());
    eprintln!(
        "{cases} histories with seed {seed}: {grants} calls granted, {turned_away} of them turned away by limits that \
         nobody knew, {refusals} refusals of lanes judged, {exact} of them against the provider, {exhausted} requests turned away"
    );
    if let Err(TestError::Fail(reason, plan)) = result {
        panic!("seed {seed}: {reason}\n{}", serde_json::to_string(&plan).unwrap());
    }
    assert!(result.is_ok(), "{result:?}");
    if cases >= CASES {
        assert!(grants > 20_000 && refusals > 20_000 && exhausted > 1_000 && turned_away > 500 && exact > 1_000);
    }
}

#[test]
fn histories_that_once_failed_do_no_more() {
    let mut count = 0;
    for file in fs::read_dir("tests/history/cases").unwrap() {
        let path = file.unwrap().path();
        let plan: Plan = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        eprintln!("{}", path.display());
        World::new(&plan).run();
        count += 1;
    }
    assert!(count > 0);
}
