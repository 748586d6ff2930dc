//! Whatever the text: an answer, never a panic.

use proptest::prelude::*;

use super::{LEAST, read};

const SEEDS: [&str; 2] = [LEAST, include_str!("../../../tests/fixtures/config/earlier-version.yaml")];

/// What YAML or 429chain reads as more than itself.
const PIECES: [&str; 34] = [
    ": ",
    "- ",
    "\n",
    "\n  ",
    "\t",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&a ",
    "*a",
    "!",
    "!!str ",
    "|",
    ">",
    "|-\n",
    "'",
    "\"",
    "#",
    "${",
    "}",
    "$${",
    "${KEY}",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "? ",
    "\u{feff}",
    "\0",
    "null",
    "<<: ",
    "\\x",
    "ü",
];

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![prop::sample::select(PIECES.as_slice()).prop_map(str::to_owned), "\\PC{0,3}", "[a-z0-9]{1,6}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_text_is_answered(text in "\\PC*") {
        _ = read(&text);
    }

    #[test]
    fn any_yaml_like_text_is_answered(pieces in prop::collection::vec(piece(), 0..60)) {
        _ = read(&pieces.concat());
    }

    #[test]
    fn any_mutation_of_a_good_file_is_answered(
        seed in prop::sample::select(SEEDS.as_slice()),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..12, piece()), 1..6),
    ) {
        let mut letters: Vec<char> = seed.chars().collect();
        for (at, removed, inserted) in edits {
            let start = at.index(letters.len() + 1);
            let end = (start + removed).min(letters.len());
            letters.splice(start..end, inserted.chars());
        }
        let text: String = letters.into_iter().collect();
        if let Err(errors) = read(&text) {
            prop_assert!(!errors.problems().is_empty());
            prop_assert!(errors.problems().iter().all(|problem| problem.line >= Some(1) && problem.column >= Some(1)));
        }
    }
}

/// Whatever order a table of keys happens to have in memory.
#[test]
fn the_same_file_gets_the_same_messages() {
    let crossed = super::with("settings:\n", "settings:\n  prot: 1\n  port: abc\n");
    let mut many = String::from("version: 1\nsettings:\n");
    for key in 0..150 {
        many.push_str(&format!("  unknown{key}: 1\n"));
    }
    for text in [crossed, many] {
        let first = read(&text).unwrap_err();
        assert!((0..20).all(|_| read(&text).unwrap_err() == first), "{first}");
    }
}

#[test]
fn deep_nesting_and_growing_aliases_are_bounded() {
    let started_deep = "[".repeat(10_000);
    let indented: String = (0..200).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for level in 1..40 {
        let repeated = vec![format!("*a{}", level - 1); 10].join(",");
        bomb.push_str(&format!("a{level}: &a{level} [{repeated}]\n"));
    }
    let wide = "- x\n".repeat(100_000);
    for text in [started_deep, indented, bomb, wide] {
        let errors = read(&text).unwrap_err();
        assert_eq!(errors.problems().len(), 1, "{errors}");
    }
}
