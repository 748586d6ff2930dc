//! What can be chosen on the command line.

use crate::quota::catalogue;
use crate::quota::scenario::Scenario;

/// What to run.
pub(crate) struct Options {
    /// In this order.
    pub(crate) scenarios: Vec<Scenario>,
    /// Figures as JSON lines.
    pub(crate) json: bool,
    /// With an all-knowing proxy in place of ours: what this machine allows at best.
    pub(crate) oracle: bool,
    /// Real length of each scenario, without the part before its first whole window.
    seconds: Option<u32>,
    /// In place of what the scenario says.
    clients: Option<usize>,
}

const HELP: &str = "usage:
cargo bench --bench efficiency [-- OPTIONS]

  --scenario NAME  only this one; may be repeated
  --seconds N      about so long per scenario, in whole windows (default: most take 4 windows of 3 s)
  --clients N      in place of what each scenario says
  --oracle         with an all-knowing proxy in place of ours: what this machine allows at best
  --json           one line of JSON per scenario

scenarios:";

impl Options {
    /// Reads the command line; `None` when there is nothing to run. `cargo test` runs benches without `--bench`.
    pub(crate) fn read() -> Result<Option<Self>, String> {
        let mut options = Self { scenarios: Vec::new(), json: false, oracle: false, seconds: None, clients: None };
        let mut asked = false;
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut number = || words.next().and_then(|text| text.parse::<u32>().ok()).filter(|number| *number > 0);
            match word.as_str() {
                "--bench" => asked = true,
                "--oracle" => options.oracle = true,
                "--json" => options.json = true,
                "--seconds" => options.seconds = Some(number().ok_or_else(help)?),
                "--clients" => options.clients = Some(number().ok_or_else(help)? as usize),
                "--scenario" => options.scenarios.push(words.next().as_deref().and_then(find).ok_or_else(help)?),
                _ => return Err(help()),
            }
        }
        if options.scenarios.is_empty() {
            options.scenarios = catalogue::all();
        }
        for scenario in &mut options.scenarios {
            scenario.demand.clients = options.clients.unwrap_or(scenario.demand.clients);
        }
        Ok(asked.then_some(options))
    }

    /// How many windows of this scenario are measured.
    pub(crate) fn windows(&self, scenario: &Scenario) -> u32 {
        let fit = |seconds: u32| f64::from(seconds) * f64::from(scenario.pace) / scenario.window.as_secs_f64();
        self.seconds.map_or(scenario.windows, |seconds| (fit(seconds) as u32).max(2))
    }
}

fn help() -> String {
    catalogue::all().iter().fold(HELP.to_owned(), |text, scenario| text + "\n  " + scenario.name)
}

fn find(name: &str) -> Option<Scenario> {
    catalogue::all().into_iter().find(|scenario| scenario.name == name)
}
