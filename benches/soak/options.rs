//! What can be chosen on the command line.

use std::time::Duration;

use crate::Result;
use crate::faults::FAULTS;
use crate::manner::Manner;

/// More rows are not written, however long it lasts: about 1 GB on disk.
const MOST_REQUESTS: u64 = 500_000;

/// How long the memory of a proxy may take to find its size.
const LONGEST_WARM_UP: Duration = Duration::from_secs(900);

/// How much, and for how long.
#[derive(Debug)]
pub(crate) struct Options {
    /// How long requests are sent.
    pub(crate) lasting: Duration,
    /// Requests at the same time.
    pub(crate) clients: usize,
    /// Requests per second, of all clients together; there may be fewer, because they wait for their answers.
    pub(crate) rate: u32,
    /// Worker threads of the proxy.
    pub(crate) workers: usize,
    /// Decides which client asks for what.
    pub(crate) seed: u64,
    /// Faults that nobody meets.
    pub(crate) without: Vec<String>,
}

const HELP: &str = "usage:
cargo bench --bench soak [-- OPTIONS]

  --minutes N   how long requests are sent (30)
  --clients N   requests at the same time (32)
  --rate N      requests per second at most (200)
  --workers N   worker threads of the proxy (1)
  --seed N      another order of requests (1)
  --without A   leave the fault A out; may be given again";

impl Options {
    /// Reads the command line; `None` when there is nothing to do. `cargo test` runs benches without `--bench`.
    pub(crate) fn read() -> Result<Option<Self>> {
        let mut options = Self {
            lasting: Duration::from_secs(1_800),
            clients: 32,
            rate: 200,
            workers: 1,
            seed: 1,
            without: Vec::new(),
        };
        let mut asked = false;
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut number = || words.next().and_then(|text| text.parse::<u16>().ok()).filter(|number| *number > 0);
            match word.as_str() {
                "--bench" => asked = true,
                "--minutes" => options.lasting = Duration::from_secs(60 * u64::from(number().ok_or(HELP)?)),
                "--clients" => options.clients = number().ok_or(HELP)?.into(),
                "--rate" => options.rate = number().ok_or(HELP)?.into(),
                "--workers" => options.workers = number().ok_or(HELP)?.into(),
                "--seed" => options.seed = number().ok_or(HELP)?.into(),
                "--without" => {
                    let known = words.next().filter(|name| FAULTS.iter().any(|manner| manner.name == *name));
                    options.without.push(known.ok_or("--without wants a name out of benches/soak/faults.rs")?);
                }
                _ => return Err(HELP.into()),
            }
        }
        Ok(asked.then_some(options))
    }

    /// The faults that are met.
    pub(crate) fn faults(&self) -> Vec<&'static Manner> {
        FAULTS.iter().filter(|manner| self.without.iter().all(|name| manner.name != name)).collect()
    }

    /// Requests that are sent at most.
    pub(crate) fn most_requests(&self) -> u64 {
        (u64::from(self.rate) * self.lasting.as_secs()).min(MOST_REQUESTS)
    }

    /// What comes before does not count for the growth of memory.
    pub(crate) fn warm_up(&self) -> Duration {
        (self.lasting / 2).min(LONGEST_WARM_UP)
    }

    /// Whatever hangs, this ends it.
    pub(crate) fn at_most(&self) -> Duration {
        self.lasting + Duration::from_secs(300)
    }
}
