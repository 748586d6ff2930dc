//! What can be chosen on the command line.

use crate::Result;

/// How much to write, and how often to ask.
#[derive(Debug)]
pub(crate) struct Options {
    /// Rows, spread over 30 days.
    pub(crate) rows: u64,
    /// Rows in one commit.
    pub(crate) commit: usize,
    /// How often each question is asked.
    pub(crate) times: usize,
}

const HELP: &str = "usage:
cargo bench --bench log [-- OPTIONS]

  --rows N      rows to write (1000000)
  --commit N    rows in one commit, 1 to 256 (256): few when there is little to do
  --times N     how often each question is asked (200)";

impl Options {
    /// Reads the command line; `None` when there is nothing to measure. `cargo test` runs benches without `--bench`.
    pub(crate) fn read() -> Result<Option<Self>> {
        let mut options = Self { rows: 1_000_000, commit: 256, times: 200 };
        let mut asked = false;
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut number = || words.next().and_then(|text| text.parse::<u32>().ok()).filter(|number| *number > 0);
            match word.as_str() {
                "--bench" => asked = true,
                "--rows" => options.rows = number().ok_or(HELP)?.into(),
                "--commit" => options.commit = number().filter(|rows| *rows <= 256).ok_or(HELP)? as usize,
                "--times" => options.times = number().ok_or(HELP)? as usize,
                _ => return Err(HELP.into()),
            }
        }
        Ok(asked.then_some(options))
    }
}
