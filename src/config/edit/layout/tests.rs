use super::*;

/// Each scalar, alias and bracket of `text`, as it is cut out of it.
fn cut(text: &str) -> Vec<&str> {
    let root = read(text).unwrap_or_else(|| panic!("{text}"));
    let mut cut = Vec::new();
    root.walk(&mut |piece| {
        if !piece.is_block() {
            cut.push(&text[piece.start..piece.end]);
        }
    });
    cut
}

#[test]
fn values_are_cut_out_to_the_byte() {
    for (text, expected) in [
        ("a: b # c\n", vec!["a", "b"]),
        ("a: b#c d\t\n", vec!["a", "b#c d"]),
        ("a:\n  b\n  c\n\n  d # e\nf: g", vec!["a", "b\n  c\n\n  d", "f", "g"]),
        ("ü: 'it''s' # c\r\nb: \"\\\"\"\r\n", vec!["ü", "'it''s'", "b", "\"\\\"\""]),
        ("\u{feff}a: 1\n", vec!["a", "1"]),
        ("a:   # nothing\nb:\n", vec!["a", "", "b", ""]),
        ("a: |\n  x\n   y\n\n# c\nb: >-\n  z", vec!["a", "|\n  x\n   y", "b", ">-\n  z"]),
        ("- |\n x\n- y", vec!["|\n x", "y"]),
        ("a:\n- x\n-\n- z\nb: 1\n", vec!["a", "x", "", "z", "b", "1"]),
        ("a: &k v\nb: *k # c\n", vec!["a", "&k v", "b", "*k"]),
        ("a: &k\n  b: 1\n", vec!["a", "b", "1"]),
        ("a: !!str 3\n", vec!["a", "!!str 3"]),
        ("{a: 1, b: [c, d,], e: }", vec!["{a: 1, b: [c, d,], e: }", "a", "1", "b", "[c, d,]", "c", "d", "e", ""]),
        ("a: {\"b\":1, c}", vec!["a", "{\"b\":1, c}", "\"b\"", "1", "c", ""]),
        ("---\na: http://x:80/y # z\n...\n", vec!["a", "http://x:80/y"]),
        ("", vec![""]),
        ("# c\n", vec![""]),
    ] {
        assert_eq!(cut(text), expected, "{text}");
    }
}

#[test]
fn signs_are_where_they_are() {
    let text = "a:\n  - b\n  -   c: 1\n      d : 2\n";
    let root = read(text).unwrap();
    let Kind::BlockList(items) = &root.members()[0].value.kind else { panic!() };
    assert_eq!(items.iter().map(|item| item.dash).collect::<Vec<_>>(), [5, 11]);
    let Kind::BlockMap(members) = &items[1].value.kind else { panic!() };
    assert_eq!(members.iter().map(|member| member.colon).collect::<Vec<_>>(), [Some(16), Some(28)]);
}

#[test]
fn what_nobody_writes_is_left_alone() {
    for text in ["? a\n: b\n", "? [a]\n: b\n", "[a: b]", "{? a: b}", "a: [", ": x\n"] {
        assert!(read(text).is_none(), "{text}");
    }
}
