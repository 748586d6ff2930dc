use super::*;

fn of(text: &str) -> Value {
    Value::of(&Document::parse(text).unwrap().0.root)
}

/// The text of a chain, `each` entry of which is written by its number.
fn chain(each: impl Fn(usize) -> String) -> String {
    let entries: String = (0..200).map(each).collect();
    format!("chains:\n  - name: c # mine\n    entries:\n{entries}    timeout: 9\n")
}

/// How long an edit takes must not depend on how often the text has to be read again.
#[test]
fn changes_of_many_entries_are_made_in_few_steps() {
    let flow = |more: &str, at: usize| format!("      - {{ provider: p, model: m{at}{more} }} # {at}\n");
    let block =
        |more: &str, at: usize| format!("      - provider: p\n        model: m{at}\n{more}        weight: 1 # {at}\n");
    let lines = "        timeout: 5\n";
    for (old, new) in [
        (chain(|at| flow("", at)), chain(|at| flow(", timeout: 5", at))),
        (chain(|at| flow(", timeout: 7", at)), chain(|at| flow(", timeout: 5", at))),
        (chain(|at| flow(", timeout: 7", at)), chain(|at| flow("", at))),
        (chain(|at| block(&lines.replace('5', "7"), at)), chain(|at| block(lines, at))),
        (chain(|at| block(lines, at)), chain(|at| block("", at))),
    ] {
        assert_eq!(approach(&old, &of(&new), 3, true).as_ref(), Ok(&new));
        assert!(approach(&old, &of(&new), 3, false).is_err(), "one at a time it takes as many as there are entries");
    }
}

#[test]
fn many_members_come_and_go_in_few_steps() {
    let models = |from: usize, to: usize| -> String {
        let models: String = (from..to).map(|at| format!("      m{at}:\n        contextWindow: {at}\n")).collect();
        format!("providers:\n  - id: a\n    models:\n{models}    name: b\n")
    };
    let (some, all) = (models(0, 5), models(0, 300));
    assert_eq!(approach(&some, &of(&all), 3, true), Ok(all.clone()));
    assert_eq!(approach(&all, &of(&some), 3, true), Ok(some));
    let none = "a: { b: {} }\n";
    let members: Vec<String> = (0..100).map(|at| format!("m{at}: {at}")).collect();
    let many = format!("a: {{ b: {{ {} }} }}\n", members.join(", "));
    assert_eq!(approach(none, &of(&many), 4, true), Ok(many.clone()));
    let one = "a: { b: { m99: 99 } }\n";
    assert_eq!(approach(&many, &of(one), 10, true).as_deref(), Ok(one));
}

#[test]
fn changes_that_touch_each_other_wait_for_each_other() {
    let text = "a: [{ b: 1 }, { c: 2 }]\nd: { e: 1, f: 2, g: 3 } # h\n";
    let target = of("a: [{ b: 2 }, { c: 3, i: 4 }]\nd: { e: 1 }\n");
    assert_eq!(reconcile(text, &target).as_deref(), Ok("a: [{ b: 2 }, { c: 3, i: 4 }]\nd: { e: 1 } # h\n"));
}
