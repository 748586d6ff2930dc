//! Files of the properties: what they say, and how they are written.

use proptest::prelude::*;
use proptest::sample::Index;

use super::draw::NUMBERS;
use super::*;

/// Provider, model and timeout.
pub(super) type Place = (usize, String, Option<u32>);

/// What a file says, apart from how it is written.
#[derive(Clone, Debug)]
pub(super) struct Plain {
    pub(super) settings: Vec<(&'static str, String)>,
    /// Id and members.
    pub(super) providers: Vec<(String, Vec<(&'static str, String)>)>,
    /// Name, and provider, model and timeout of each entry.
    pub(super) chains: Vec<(String, Vec<Place>)>,
}

/// How it is written.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub(super) step: usize,
    pub(super) dash: usize,
    pub(super) crlf: bool,
    pub(super) bom: bool,
    pub(super) open_end: bool,
    /// Consumed in turn, again and again.
    pub(super) dice: Vec<u8>,
}

/// One line of a file, and what it belongs to.
pub(super) struct Writer<'a> {
    pub(super) look: &'a Look,
    pub(super) rolled: usize,
    pub(super) lines: Vec<(String, String)>,
}

impl Writer<'_> {
    pub(super) fn roll(&mut self, sides: u8) -> u8 {
        self.rolled += 1;
        self.look.dice[self.rolled % self.look.dice.len()] % sides
    }

    pub(super) fn line(&mut self, owner: &str, text: String) {
        let number = self.rolled;
        let comment = match self.roll(4) {
            0 => format!("   # {owner} {number}"),
            1 => format!("\t# {owner} {number}"),
            2 => "  ".to_owned(),
            _ => String::new(),
        };
        self.lines.push((owner.to_owned(), format!("{text}{comment}")));
    }

    /// Comments and empty lines that may stand above a line of `owner`.
    pub(super) fn above(&mut self, owner: &str, column: usize) {
        let number = self.rolled;
        let spaces = " ".repeat(column);
        match self.roll(6) {
            0 => self.lines.push((owner.to_owned(), format!("{spaces}# above {owner} {number}"))),
            1 => {
                self.lines.push(("nobody".to_owned(), String::new()));
                self.lines.push((owner.to_owned(), format!("{spaces}# above {owner} {number}")));
            }
            2 => {
                // Whoever deletes a chain deletes what is within.
                let around = owner.strip_prefix("entry-").and_then(|it| it.split('-').next());
                let around = around.map_or_else(|| "nobody".to_owned(), |chain| format!("within-{chain}"));
                self.lines.push((around, format!("{spaces}# apart {number}: - [not, {{yaml")));
                self.lines.push(("nobody".to_owned(), String::new()));
            }
            3 => self.lines.push(("nobody".to_owned(), String::new())),
            _ => {}
        }
    }

    pub(super) fn scalar(&mut self, text: &str, flow: bool) -> String {
        match self.roll(4) {
            0 => format!("'{text}'"),
            1 => format!("\"{text}\""),
            _ if text.contains(": ") || (flow && text.contains("${")) => format!("\"{text}\""),
            _ => text.to_owned(),
        }
    }

    pub(super) fn file(mut self, plain: &Plain) -> Vec<(String, String)> {
        let Look { step, dash, .. } = *self.look;
        let (inner, item) = (" ".repeat(step), " ".repeat(dash));
        self.above("nobody", 0);
        self.line("version", "version: 1".into());
        self.line("settings", "settings:".into());
        for (key, text) in &plain.settings {
            self.above("nobody", step);
            let text = if *key == "apiKeys" { format!("[{text}]") } else { self.scalar(text, false) };
            self.line(key, format!("{inner}{key}: {text}"));
        }
        self.above("nobody", 0);
        self.line("providers", "providers:".into());
        for (id, members) in &plain.providers {
            let owner = format!("provider-{id}");
            self.above(&owner, dash);
            if self.roll(3) == 0 {
                let members: Vec<String> =
                    members.iter().map(|(key, text)| format!(", {key}: {}", self.scalar(text, true))).collect();
                self.line(&owner, format!("{item}- {{ id: {id}{} }}", members.concat()));
                continue;
            }
            self.line(&owner, format!("{item}- id: {id}"));
            for (key, text) in members {
                let text = self.scalar(text, false);
                self.line(&owner, format!("{item}  {key}: {text}"));
            }
            if self.roll(4) == 0 {
                self.lines.push((owner.clone(), format!("{item}  # deeper, so of {owner}")));
            }
        }
        self.above("nobody", 0);
        self.line("chains", "chains:".into());
        for (name, entries) in &plain.chains {
            let owner = format!("chain-{name}");
            self.above(&owner, dash);
            self.line(&owner, format!("{item}- name: {name}"));
            let texts: Vec<Vec<(&str, String)>> = entries
                .iter()
                .map(|(provider, model, timeout)| {
                    let mut members =
                        vec![("provider", plain.providers[*provider].0.clone()), ("model", model.clone())];
                    members.extend(timeout.map(|timeout| ("timeout", timeout.to_string())));
                    members
                })
                .collect();
            if self.roll(4) == 0 {
                let entries: Vec<String> = texts.iter().map(|members| self.braces(members)).collect();
                self.line(&owner, format!("{item}  entries: [{}]", entries.join(", ")));
                continue;
            }
            self.line(&owner, format!("{item}  entries:"));
            for (at, members) in texts.iter().enumerate() {
                let owner = format!("entry-{name}-{at}");
                self.above(&owner, 2 * dash + 2);
                let dashes = format!("{item}  {item}- ");
                if self.roll(2) == 0 {
                    let text = self.braces(members);
                    self.line(&owner, format!("{dashes}{text}"));
                    continue;
                }
                for (number, (key, text)) in members.iter().enumerate() {
                    let before = if number == 0 { dashes.clone() } else { " ".repeat(dashes.len()) };
                    let text = self.scalar(text, false);
                    self.line(&owner, format!("{before}{key}: {text}"));
                }
            }
        }
        self.above("nobody", 0);
        self.lines
    }

    pub(super) fn braces(&mut self, members: &[(&str, String)]) -> String {
        let members: Vec<String> =
            members.iter().map(|(key, text)| format!("{key}: {}", self.scalar(text, true))).collect();
        match self.roll(2) {
            0 => format!("{{ {} }}", members.join(", ")),
            _ => format!("{{{},}}", members.join(",  ")),
        }
    }
}

impl Plain {
    pub(super) fn written(&self, look: &Look) -> (String, Vec<(String, String)>) {
        let lines = Writer { look, rolled: 0, lines: Vec::new() }.file(self);
        let eol = if look.crlf { "\r\n" } else { "\n" };
        let mut text: String = lines.iter().map(|(_, line)| format!("{line}{eol}")).collect();
        if look.open_end {
            text.truncate(text.trim_end_matches(['\r', '\n']).len());
        }
        (if look.bom { format!("\u{feff}{text}") } else { text }, lines)
    }

    pub(super) fn config(&self) -> Result<Config, String> {
        let look = Look { step: 2, dash: 2, crlf: false, bom: false, open_end: false, dice: vec![5] };
        load(&self.written(&look).0)
    }
}

impl Plain {
    pub(super) fn default_chain(&self) -> &str {
        let explicit = self.settings.iter().find(|(key, _)| *key == "defaultChain").map(|(_, name)| name.as_str());
        explicit.unwrap_or(if self.chains.len() == 1 { &self.chains[0].0 } else { "default" })
    }

    /// Before a second chain comes in.
    pub(super) fn keep_default(&mut self) {
        let default = self.default_chain().to_owned();
        if default != "default" && !self.settings.iter().any(|(key, _)| *key == "defaultChain") {
            self.settings.push(("defaultChain", default));
        }
    }
}

pub(super) fn plain() -> impl Strategy<Value = Plain> {
    let members = || {
        (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(timeout, key, enabled)| {
            let mut members = vec![("type", "local".to_owned())];
            members.extend(timeout.then(|| ("timeout", "5000".to_owned())));
            members.extend(key.then(|| ("apiKey", "${KEY}".to_owned())));
            members.extend(enabled.then(|| ("enabled", "true".to_owned())));
            members
        })
    };
    let providers = prop::collection::vec(members(), 1..5);
    let entry = (any::<Index>(), prop::option::of(1_u32..9000));
    let chains = prop::collection::vec(prop::collection::vec(entry, 1..5), 1..4);
    (providers, chains, prop::collection::vec(1_u32..3000, 0..3), any::<bool>()).prop_map(
        |(providers, chains, settings, explicit)| {
            let names = ["default", "fast", "night"];
            let offset = usize::from(chains.len() == 1 && explicit);
            let providers: Vec<_> =
                providers.into_iter().enumerate().map(|(at, members)| (format!("p{at}"), members)).collect();
            let chains: Vec<_> = chains
                .into_iter()
                .enumerate()
                .map(|(at, entries)| {
                    let entries = entries.into_iter().enumerate();
                    let entries = entries
                        .map(|(at, (provider, timeout))| (provider.index(providers.len()), format!("m{at}"), timeout));
                    (names[at + offset].to_owned(), entries.collect())
                })
                .collect();
            let mut all = vec![("apiKeys", "\"${PROXY_KEY}\", k".to_owned())];
            all.extend(NUMBERS.iter().copied().zip(settings.iter().map(ToString::to_string)));
            if explicit && chains.len() > 1 {
                all.push(("defaultChain", "fast".to_owned()));
            }
            Plain { settings: all, providers, chains }
        },
    )
}

pub(super) fn look() -> impl Strategy<Value = Look> {
    let dice = prop::collection::vec(any::<u8>(), 5..80);
    (1_usize..5, 0_usize..4, any::<[bool; 3]>(), dice).prop_map(|(step, dash, [crlf, bom, open_end], dice)| Look {
        step,
        dash,
        crlf,
        bom,
        open_end,
        dice,
    })
}
