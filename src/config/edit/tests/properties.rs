//! Any file, any change: what comes out is what was meant, and nothing else has changed.

mod draw;
mod plain;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;
use crate::config::model::Config;
use crate::config::parse;
use draw::draw;
use plain::{look, plain};

fn load(text: &str) -> Result<Config, String> {
    parse(text, "test.yaml", Path::new("/nonexistent"), &ENVIRONMENT, &Overrides::default())
        .map_err(|it| it.to_string())
}

/// Lines without their ends, and without a mark before the first.
fn bare(text: &str) -> Vec<&str> {
    text.trim_start_matches('\u{feff}').lines().collect()
}

fn settled(cases: u32) -> ProptestConfig {
    let chosen = ProptestConfig::default();
    match chosen.rng_seed {
        RngSeed::Random => ProptestConfig { cases, rng_seed: RngSeed::Fixed(429), ..chosen },
        RngSeed::Fixed(_) => chosen,
    }
}

proptest! {
    // The same cases each time: a gate must not depend on luck. `PROPTEST_RNG_SEED` and `PROPTEST_CASES` look further.
    #![proptest_config(settled(400))]

    /// Editing then loading is loading then editing, and lines of others stay.
    #[test]
    fn o24_any_change_of_any_file_changes_what_it_means_and_nothing_else(plain in plain(), look in look(), draw in draw()) {
        let (text, lines) = plain.written(&look);
        prop_assert_eq!(load(&text), plain.config(), "the file itself\n{}", text);
        let Some((change, touched, after)) = draw.on(&plain) else { return Ok(()) };
        match (edit(&text, std::slice::from_ref(&change)), after.config()) {
            (Ok(new), expected) => {
                prop_assert_eq!(load(&new), expected, "{:?}\n{}\n{}", change, text, new);
                prop_assert_eq!(text.ends_with('\n'), new.ends_with('\n'));
                prop_assert_eq!(text.starts_with('\u{feff}'), new.starts_with('\u{feff}'));
                prop_assert_eq!(new.matches('\n').count() > 0 && look.crlf, new.contains("\r\n"));
                prop_assert!(!look.crlf || !new.replace("\r\n", "").contains('\n'));
                let kept: Vec<&str> = lines.iter().filter(|(owner, line)| !touched.contains(owner) && !line.trim().is_empty()).map(|(_, line)| line.as_str()).collect();
                let new_lines = bare(&new);
                if touched.contains(&"*".to_owned()) {
                    let sorted = |mut lines: Vec<String>| { lines.sort(); lines };
                    let all = |text: &str| sorted(bare(text).into_iter().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect());
                    // In a list between brackets all is in one line.
                    if bare(&text).len() == new_lines.len() && !text.contains("entries: [") {
                        prop_assert_eq!(all(&text), all(&new), "{:?}\n{}\n{}", change, text, new);
                    }
                } else {
                    let mut rest = new_lines.iter();
                    for line in kept {
                        prop_assert!(rest.any(|new| *new == line), "{:?}\n{}\n{}\nhas lost or moved {:?}", change, text, new, line);
                    }
                }
            }
            (Err(EditError::Refused(_) | EditError::LastEntry { .. } | EditError::DefaultChain { .. }), Err(_)) => {}
            (Err(error), expected) => {
                prop_assert!(false, "{:?}: {}\n{}\n{}", change, error, text, expected.is_ok());
            }
        }
    }
}

const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz/seeds/config");
/// The part of the seeds' secret that is masked on its own as well.
const CORE: &str = "7hIsMustNeverBePrinted0123456789";

/// Every seed, and every seed cut off or with a piece doubled: an answer, and never a text that cannot be loaded.
#[test]
fn o24_any_text_is_edited_or_left_alone() {
    let changes = [
        set("port", "4001"),
        unset("port"),
        set("adminKeys", r#"["admin-key-of-mine"]"#),
        put_provider(
            "groq",
            r#"{"type":"groq","apiKey":"k2","models":{"a/b":{"contextWindow":3}},"headers":{"X":"y"}}"#,
        ),
        put_provider("new", r#"{"type":"local","name":"it's: new"}"#),
        delete_provider("groq"),
        put_chain("new", r#"{"entries":[{"provider":"groq","model":"m"},{"provider":"a","model":"n","timeout":5}]}"#),
        insert("default", 0, r#"{"provider":"groq","model":"first"}"#),
        insert("default", None, r#"{"provider":"groq","model":"last"}"#),
        remove("default", 0),
        shift("default", 0, 1),
        Change::RenameChain { from: "default".into(), to: "other".into() },
        Change::AddClientKey { digest: crate::config::model::KeyDigest::of("new"), label: None },
        Change::RemoveClientKey { digest: crate::config::model::KeyDigest::of("a") },
    ];
    let mut edits = 0;
    for seed in std::fs::read_dir(SEEDS).unwrap() {
        let text = String::from_utf8_lossy(&std::fs::read(seed.unwrap().path()).unwrap()).into_owned();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let mut texts = vec![text.clone(), format!("{text}\n# the end"), text.trim_end().to_owned()];
        texts.extend((1..lines.len().min(8)).step_by(3).flat_map(|at| {
            let (before, after) = lines.split_at(at);
            let (before, after) = (before.concat(), after.concat());
            [
                before.clone(),
                format!("{before}  # between\n{after}"),
                format!("{before}\n\n{after}"),
                format!("{before}\t{after}"),
            ]
        }));
        for (number, text) in texts.into_iter().enumerate() {
            _ = masked_text(&text, "x")
                .map(|shown| assert!(!shown.contains(CORE) || text.contains("level"), "{text}\n{shown}"));
            // All of them on the seed itself, each third one on what was made of it.
            let some = if number == 0 { 1 } else { 3 };
            for change in changes.iter().skip(number % some).step_by(some) {
                match edit(&text, std::slice::from_ref(change)) {
                    Ok(new) if new == text => {}
                    Ok(new) => {
                        edits += 1;
                        load(&new).unwrap_or_else(|error| panic!("{change:?}\n{text}\n{new}\n{error}"));
                    }
                    Err(error) => assert!(!error.to_string().contains(CORE), "{error}"),
                }
            }
        }
    }
    assert!(edits > 100, "{edits}");
}
