use super::*;

fn place(line: usize, column: usize) -> Place {
    Place { line, column }
}

fn document(text: &str) -> Document {
    match Document::parse(text) {
        Ok((document, problems)) if problems.is_empty() => document,
        Ok((_, problems)) => panic!("{problems:?}"),
        Err(problem) => panic!("{problem}"),
    }
}

const TEXT: &str = "\
# comment
settings:
  port: 80
  host:
providers:
  - id: ü
    models: { gpt-4.1: { contextWindow: 5 }, \"b\": }
  -   id: two
list: [a, bc,
  d]
";

#[test]
fn values_and_keys_know_where_they_stand() {
    let document = document(TEXT);
    let root = YamlPath::root();
    let settings = root.key("settings");
    let first = root.key("providers").index(0);
    let model = first.key("models").key("gpt-4.1");
    for (path, expected) in [
        (settings.clone(), place(2, 1)),
        (settings.key("port"), place(3, 9)),
        (settings.key("host"), place(4, 3)),
        (settings.key("not there"), place(2, 1)),
        (first.key("id"), place(6, 9)),
        (first.clone(), place(6, 5)),
        (root.key("providers").index(1), place(8, 7)),
        (root.key("providers").index(2), place(5, 1)),
        (model.key("contextWindow"), place(7, 41)),
        (model, place(7, 15)),
        (first.key("models").key("b"), place(7, 46)),
        (root.key("list").index(1), place(9, 11)),
        (root.key("list").index(2), place(10, 3)),
    ] {
        assert_eq!(document.place(&path), expected, "{path}");
    }
    assert_eq!(document.key_place(&settings.key("port")), Some(place(3, 3)));
    assert_eq!(document.key_place(&root.key("list").index(1)), None);
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_change_nothing() {
    let document = document("\u{feff}a: 1\r\nb: 2\r\n");
    assert_eq!(document.place(&YamlPath::root().key("a")), place(1, 4));
    assert_eq!(document.place(&YamlPath::root().key("b")), place(2, 4));
}

#[test]
fn a_repeated_key_is_reported_and_the_first_one_kept() {
    let (document, problems) = Document::parse("a: 1\nb:\n  - { c: 1, c: { d: 2 } }\n").unwrap_or_else(|_| panic!());
    let [problem] = problems.as_slice() else { panic!("{problems:?}") };
    assert_eq!((problem.path.to_string().as_str(), problem.line, problem.column), ("b[0].c", Some(3), Some(13)));
    let kept =
        document.get(&problem.path).map(|node| matches!(&node.content, Content::Text(text) if text.value == "1"));
    assert_eq!(kept, Some(true));
}

#[test]
fn what_was_dropped_is_dropped_once_and_still_has_a_place() {
    let mut document = document("a: [1, 2]\n");
    let path = YamlPath::root().key("a").index(1);
    assert!(document.drop_at(&path));
    assert!(!document.drop_at(&path));
    assert!(!document.drop_at(&path.key("b")));
    assert_eq!(document.place(&path), place(1, 8));
}
