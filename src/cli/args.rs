//! Options and commands.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::config::Overrides;

/// Where the configuration is when nobody says.
pub(super) const DEFAULT_CONFIG: &str = "config/config.yaml";

/// An OpenAI-compatible proxy that walks a chain of free LLM tiers.
#[derive(Debug, Parser)]
#[command(name = "429chain", version = env!("CHAIN429_VERSION"), about, arg_required_else_help = false, after_help = AFTER)]
pub struct Args {
    /// What to do; `serve` when nothing is said
    #[command(subcommand)]
    command: Option<Command>,

    /// Configuration file
    #[arg(
        short,
        long,
        global = true,
        env = "CHAIN429_CONFIG",
        default_value = DEFAULT_CONFIG,
        value_name = "FILE",
        hide_env_values = true
    )]
    pub config: PathBuf,

    /// Port to listen on, in place of settings.port; 0 takes any free one
    #[arg(short, long, global = true, env = "CHAIN429_PORT", value_name = "PORT", hide_env_values = true)]
    pub port: Option<u16>,

    /// Address to listen on, in place of settings.host
    #[arg(long, global = true, env = "CHAIN429_HOST", value_name = "HOST", hide_env_values = true)]
    pub host: Option<String>,

    /// Where 429chain keeps its data
    #[arg(long, global = true, env = "CHAIN429_DATA_DIR", value_name = "DIR", hide_env_values = true)]
    pub data_dir: Option<PathBuf>,

    /// Serve the web UI's style and scripts from here, in place of those in the binary
    #[arg(long, global = true, value_name = "DIR")]
    pub static_dir: Option<PathBuf>,

    /// Log filter in place of settings.logLevel: a level, or targets like info,chain429::upstream=trace
    #[arg(long = "log", global = true, env = "CHAIN429_LOG", value_name = "FILTER", hide_env_values = true)]
    pub log: Option<String>,

    /// The same as the command `init`
    #[arg(long, hide = true)]
    init: bool,
}

const AFTER: &str = "\
Start here:
  429chain demo     try it: simulated providers, no keys, no file
  429chain init     write a configuration for your keys
  429chain          serve it

Exit codes: 0 fine, 1 failure while running, 2 mistake in the command line or the configuration";

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Run the proxy (the default)
    Serve(Serve),
    /// Write a commented configuration to start from
    Init(Init),
    /// Check the configuration and print everything that is wrong with it
    Check,
    /// Run with simulated providers: needs no keys, no file and no network
    Demo,
    /// Ask a running proxy whether it is well; for container health checks
    Health,
    /// Ask a running proxy who would serve a request now, and why the others would not; calls no provider
    Explain(Question),
    /// Make a new admin key in place of the generated one
    AdminKey,
    /// Say what provider answers mean: JSON lines on stdin, one JSON line for each on stdout
    Classify,
}

/// How the proxy is run.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Serve {
    /// Write a configuration to start from, as `init` does, when there is none; for containers
    #[arg(long)]
    pub create_config: bool,
}

/// What a new configuration is made from.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Init {
    /// Only these services, by name or type: groq,google-ai
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub providers: Vec<String>,

    /// Take over a configuration of LiteLLM's proxy
    #[arg(long, value_name = "FILE", conflicts_with = "providers")]
    pub from_litellm: Option<PathBuf>,
}

/// A request that might be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Question {
    /// A chain or provider/model; the default chain when nothing is said
    #[arg(value_name = "MODEL")]
    pub model: Option<String>,

    /// About so many tokens of prompt
    #[arg(long, value_name = "N")]
    pub prompt_tokens: Option<u64>,

    /// At most so many tokens of answer
    #[arg(long, value_name = "N")]
    pub max_tokens: Option<u64>,

    /// Print the answer as it came: JSON
    #[arg(long)]
    pub json: bool,

    /// An admin key of the proxy; better kept in the environment, where others do not see it
    #[arg(long, env = "CHAIN429_ADMIN_KEY", value_name = "KEY", hide_env_values = true)]
    pub admin_key: Option<String>,
}

impl Args {
    /// The command that was given, or meant.
    #[must_use]
    pub fn command(&self) -> Command {
        match &self.command {
            Some(command) => command.clone(),
            None if self.init => Command::Init(Init::default()),
            None => Command::Serve(Serve::default()),
        }
    }

    /// What wins over the configuration file.
    #[must_use]
    pub fn overrides(&self) -> Overrides {
        Overrides {
            host: self.host.clone(),
            port: self.port,
            data_dir: self.data_dir.clone(),
            static_dir: self.static_dir.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        <Args as CommandFactory>::command().debug_assert();
    }

    #[test]
    fn options_go_before_and_after_the_command_and_without_one() {
        for line in [
            &["429chain", "-p", "1", "-c", "x.yaml"][..],
            &["429chain", "serve", "-p", "1", "-c", "x.yaml"],
            &["429chain", "--port", "1", "--config", "x.yaml", "serve"],
        ] {
            let args = Args::try_parse_from(line).unwrap();
            assert_eq!((args.command(), args.port), (Command::Serve(Serve::default()), Some(1)));
            assert_eq!(args.config, PathBuf::from("x.yaml"));
        }
        assert_eq!(Args::try_parse_from(["429chain", "--init"]).unwrap().command(), Command::Init(Init::default()));
        assert!(Args::try_parse_from(["429chain", "--port", "70000"]).is_err());
    }
}
