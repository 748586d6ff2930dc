//! What can be chosen on the command line.

use std::time::Duration;

use crate::Result;

/// How long to measure.
#[derive(Debug)]
pub(crate) struct Options {
    /// Rounds of each measurement.
    pub(crate) rounds: usize,
    /// Length of one round at full load; those with one connection take a third of it.
    pub(crate) round: Duration,
    /// Streams that are open at the same time when memory is measured.
    pub(crate) streams: usize,
}

const HELP: &str = "usage:
cargo bench --bench overhead [-- OPTIONS]

  --rounds N    rounds of each measurement (5)
  --seconds N   length of a round (3)
  --streams N   open streams when memory is measured (1000)
  --quick       a look: 2 rounds of 1 s";

impl Options {
    /// Reads the command line; `None` when there is nothing to measure. `cargo test` runs benches without `--bench`.
    pub(crate) fn read() -> Result<Option<Self>> {
        let mut options = Self { rounds: 5, round: Duration::from_secs(3), streams: 1_000 };
        let mut asked = false;
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut number = || words.next().and_then(|text| text.parse::<u16>().ok()).filter(|number| *number > 0);
            match word.as_str() {
                "--bench" => asked = true,
                "--quick" => (options.rounds, options.round) = (2, Duration::from_secs(1)),
                "--rounds" => options.rounds = number().ok_or(HELP)?.into(),
                "--seconds" => options.round = Duration::from_secs(number().ok_or(HELP)?.into()),
                "--streams" => options.streams = number().ok_or(HELP)?.into(),
                _ => return Err(HELP.into()),
            }
        }
        Ok(asked.then_some(options))
    }

    /// Whatever hangs, this ends it.
    pub(crate) fn at_most(&self) -> Duration {
        let rounds = u32::try_from(self.rounds).unwrap_or(u32::MAX);
        Duration::from_secs(120).saturating_add(self.round.saturating_mul(10).saturating_mul(rounds))
    }

    /// Length of a round with one connection.
    pub(crate) fn short_round(&self) -> Duration {
        self.round / 3
    }
}
