//! Tells the program which commit it is built from, and when that was made: the same for everybody who builds it.
//!
//! `CHAIN429_COMMIT` and `CHAIN429_COMMIT_TIME` (seconds since 1970) say it where there is no history, as in the build of an
//! image. Builds for development do not ask: they would be made anew after each commit.

#![allow(clippy::print_stdout, reason = "this is how a build script speaks")]

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for variable in ["CHAIN429_COMMIT", "CHAIN429_COMMIT_TIME"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    let given = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let release = given("PROFILE").as_deref() == Some("release");
    let (mut commit, mut seconds) = (given("CHAIN429_COMMIT"), given("CHAIN429_COMMIT_TIME"));
    if commit.is_none() && release {
        commit = git(&["rev-parse", "--short=12", "HEAD"]);
        seconds = seconds.or_else(|| git(&["log", "-1", "--format=%ct"]));
        if let Some(folder) = git(&["rev-parse", "--git-dir"]).filter(|_| commit.is_some()) {
            println!("cargo::rerun-if-changed={folder}/logs/HEAD");
        }
    }
    let version = given("CARGO_PKG_VERSION").unwrap_or_default();
    let date = seconds.and_then(|seconds| seconds.parse().ok()).map(date);
    let about = [commit, date].into_iter().flatten().collect::<Vec<String>>().join(", ");
    let about = if about.is_empty() { version } else { format!("{version} ({about})") };
    println!("cargo::rustc-env=CHAIN429_VERSION={about}");
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The day in UTC: days since 1970 to a date of the Gregorian calendar.
fn date(seconds: u64) -> String {
    let days = seconds / 86_400 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let (day, month) =
        (day_of_year - (153 * shifted + 2) / 5 + 1, if shifted < 10 { shifted + 3 } else { shifted - 9 });
    format!("{:04}-{month:02}-{day:02}", year + era * 400 + u64::from(month <= 2))
}
