//! The command line.

pub mod args;
mod ask;
mod classify;
mod demo;
mod explain;
mod health;
mod left_over;
mod report;
mod serve;
mod setup;

use std::process::ExitCode;

use clap::Parser;

use self::args::{Args, Command};

/// A failure while running.
const FAILED: u8 = 1;

/// A mistake in the command line or the configuration.
const USAGE: u8 = 2;

/// Runs the program.
#[must_use]
pub fn run() -> ExitCode {
    let args = Args::parse();
    let result = match args.command() {
        Command::Serve(how) => serve::serve(&args, &how),
        Command::Init(wish) => setup::init(&args, &wish),
        Command::Check => setup::check(&args),
        Command::AdminKey => setup::admin_key(&args),
        Command::Demo => demo::demo(&args),
        Command::Health => health::health(&args),
        Command::Explain(question) => explain::explain(&args, &question),
        Command::Classify => classify::classify(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report::complain(&failure.message);
            ExitCode::from(failure.code)
        }
    }
}

/// Why a command did not do what it should.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    fn usage(message: impl ToString) -> Self {
        Self { message: message.to_string(), code: USAGE }
    }

    fn runtime(message: impl ToString) -> Self {
        Self { message: message.to_string(), code: FAILED }
    }
}
