//! The table.

use crate::options::Options;
use crate::quota::figures::Figures;

/// Says what the columns are.
pub(crate) fn begin(options: &Options) {
    if options.json {
        return;
    }
    println!(
        "{:<24}{:>8}{:>8}{:>8}{:>7}{:>8}{:>8}{:>11}{:>9}{:>8}{:>9}  targets",
        "scenario", "clients", "served", "calls", "429s", "errors", "false-x", "overshoot", "waste", "use", "p50 ms"
    );
}

/// One scenario.
pub(crate) fn line(figures: &Figures, options: &Options) {
    if options.json {
        match serde_json::to_string(figures) {
            Ok(line) => println!("{line}"),
            Err(fault) => eprintln!("efficiency: {fault}"),
        }
        return;
    }
    let missed = figures.missed();
    let verdict = if missed.is_empty() { "met".to_owned() } else { format!("MISSED: {}", missed.join(", ")) };
    let errors: usize = figures.errors.values().sum();
    println!(
        "{:<24}{:>8}{:>8}{:>8}{:>7}{:>8}{:>8}{:>11}{:>9.4}{:>8.3}{:>9}  {verdict}",
        figures.scenario,
        figures.clients,
        figures.served,
        figures.calls,
        figures.refused,
        errors,
        figures.false_exhaustion,
        figures.overshoot,
        figures.waste,
        figures.utilisation,
        figures.p50_wait_ms,
    );
    if let Some(example) = &figures.example {
        let short: String = example.chars().take(300).collect();
        println!("    for example {short}");
    }
    let strange = figures.errors.iter().filter(|(name, _)| !name.starts_with("503 "));
    strange.for_each(|(name, count)| println!("    {count} x {name}"));
}
