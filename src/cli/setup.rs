//! `429chain init`, `check` and `admin-key`.

use std::io;
use std::path::Path;

use super::Failure;
use super::args::{Args, DEFAULT_CONFIG, Init};
use super::left_over;
use super::report::{complain, count, say};
use crate::config::environment::ProcessEnvironment;
use crate::config::presets::{PRESETS, Preset};
use crate::config::source::Source;
use crate::config::{self, litellm, starter};
use crate::store::admin_key;

/// Writes a configuration to start from.
pub(super) fn init(args: &Args, wish: &Init) -> Result<(), Failure> {
    if let Some(theirs) = &wish.from_litellm {
        return import(args, theirs);
    }
    let services = match wish.providers.as_slice() {
        [] => starter::usual().collect(),
        names => starter::picked(names).map_err(|name| {
            let known: Vec<&str> = PRESETS.iter().map(|preset| preset.id).collect();
            Failure::usage(format!("no service is called `{name}`. There are: {}", known.join(", ")))
        })?,
    };
    let ready = create(args, services)?;
    let run = command(args, "");
    say(&match ready {
        Ready::Known => format!("\nNext: {}, and then run {run}", command(args, " check")),
        Ready::Unset => format!(
            "\nNext: run {run} and give one of them its key at /ui. Or set one of these variables, and say `enabled: true` \
             at its provider in the file"
        ),
        Ready::Keyless => format!("\nNext: complete the file, or run {run} and do it at /ui"),
    });
    Ok(())
}

/// How a command is called for the same file.
fn command(args: &Args, name: &str) -> String {
    match args.config == Path::new(DEFAULT_CONFIG) {
        true => format!("429chain{name}"),
        false => {
            let path = args.config.display().to_string();
            let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-/".contains(letter);
            let quote = if path.chars().all(is_plain) { "" } else { "'" };
            format!("429chain{name} --config {quote}{path}{quote}")
        }
    }
}

/// What is known of the keys of a new file.
enum Ready {
    /// One at least is there.
    Known,
    /// The variables of none are set.
    Unset,
    /// Nobody in it has one.
    Keyless,
}

/// Writes one with these services and says what is in it.
fn create(args: &Args, services: Vec<&'static Preset>) -> Result<Ready, Failure> {
    let starter = starter::starter(&ProcessEnvironment, services.iter().copied()).map_err(Failure::runtime)?;
    write(args, &starter.text)?;
    say(&format!("Wrote {}.\n\nClient key for your apps: {}\n", args.config.display(), starter.client_key));
    if !starter.present.is_empty() {
        say(&format!("Found in the environment, and switched on: {}", starter.present.join(", ")));
    }
    if !starter.missing.is_empty() {
        say(&format!("Not set, so their providers are switched off: {}", starter.missing.join(", ")));
    }
    for preset in services.iter().filter(|preset| !preset.is_complete()) {
        let variable = preset.variable.unwrap_or_default();
        say(&format!("{} is switched off: put the id of your account into its baseUrl, and set {variable}", preset.id));
    }
    Ok(match (starter.present.as_slice(), starter.missing.as_slice()) {
        ([], []) => Ready::Keyless,
        ([], _) => Ready::Unset,
        _ => Ready::Known,
    })
}

/// Takes over a configuration of LiteLLM's proxy.
fn import(args: &Args, theirs: &Path) -> Result<(), Failure> {
    let unreadable = |fault| Failure::usage(format!("{} cannot be read: {fault}", theirs.display()));
    let text = std::fs::read_to_string(theirs).map_err(unreadable)?;
    let imported = litellm::import(&text, &theirs.display().to_string(), &ProcessEnvironment);
    let imported = imported.map_err(Failure::usage)?;
    write(args, &imported.text)?;
    say(&format!("Wrote {} from {}.\n", args.config.display(), theirs.display()));
    if let Some(key) = &imported.client_key {
        say(&format!("Client key for your apps: {key}\n"));
    }
    if !imported.missing.is_empty() {
        say(&format!("Not set, so their providers are switched off: {}", imported.missing.join(", ")));
    }
    for note in &imported.notes {
        say(&format!("note: {note}"));
    }
    say(&format!("\nNext: {}, and then run {}", command(args, " check"), command(args, "")));
    Ok(())
}

fn write(args: &Args, text: &str) -> Result<(), Failure> {
    let path = args.config.display();
    starter::write_new(&args.config, text).map_err(|fault| match fault.kind() {
        io::ErrorKind::AlreadyExists => Failure::usage(format!(
            "{path} is there already and stays as it is. Write to another file with --config, or remove it first"
        )),
        _ => Failure::runtime(format!("{path} cannot be written: {fault}")),
    })
}

/// Writes one where there is none, and says so: the first start of a container with an empty volume.
pub(super) fn create_missing(args: &Args) -> Result<(), Failure> {
    match args.config.try_exists() {
        Ok(true) => Ok(()),
        Ok(false) => {
            if !matches!(create(args, starter::usual().collect())?, Ready::Known) {
                say(&format!(
                    "\nNext: give one of them its key at /ui. Or edit {}: what it says is used at once",
                    args.config.display()
                ));
            }
            Ok(())
        }
        Err(fault) => Err(Failure::runtime(format!("{} cannot be looked for: {fault}", args.config.display()))),
    }
}

/// Prints everything that is wrong with the configuration, or that nothing is.
pub(super) fn check(args: &Args) -> Result<(), Failure> {
    let source = Source::new(&args.config, ProcessEnvironment, args.overrides());
    let config = left_over::load(&source)?.config;
    for notice in config.notices.iter().chain(&left_over::notice(&source)) {
        say(&format!("note: {notice}"));
    }
    let enabled = config.providers.iter().filter(|provider| provider.enabled).count();
    let entries: usize = config.chains.iter().map(|chain| chain.entries.len()).sum();
    say(&format!(
        "{} is fine: {enabled} of {} enabled, {} with {}",
        args.config.display(),
        count(config.providers.len(), "provider", "providers"),
        count(config.chains.len(), "chain", "chains"),
        count(entries, "entry", "entries")
    ));
    Ok(())
}

/// Makes a new admin key in place of the generated one.
pub(super) fn admin_key(args: &Args) -> Result<(), Failure> {
    let path = args.config.display();
    // A shell need not have the variables that the proxy was started with.
    let data_dir = match (config::load(&args.config, &ProcessEnvironment, &args.overrides()), &args.data_dir) {
        (Ok(config), _) if !config.settings.admin_keys.is_empty() => {
            return Err(Failure::usage(format!(
                "{path} sets settings.adminKeys, so a generated key would have no effect. Change it there"
            )));
        }
        (Ok(config), _) => config.settings.data_dir,
        (Err(errors), Some(data_dir)) => {
            complain(&format!(
                "{errors}\nThe key is made all the same. It has no effect if {path} sets settings.adminKeys"
            ));
            data_dir.clone()
        }
        (Err(errors), None) => {
            return Err(Failure::usage(format!(
                "{errors}\nTo make a key all the same, say where the proxy keeps its data: --data-dir DIR"
            )));
        }
    };
    let (key, _) = admin_key::create(&data_dir).map_err(Failure::runtime)?;
    say(&format!(
        "Admin key, shown only now: {key}\nIts hash is kept in {}. A running proxy with this data directory takes it in \
         place of the one before when it reads its configuration again: send it a SIGHUP, or restart it.",
        data_dir.display()
    ));
    Ok(())
}
