use super::*;

fn versions(dir: &tempfile::TempDir) -> Versions {
    Versions::new(dir.path().to_owned())
}

fn texts(versions: &Versions) -> Vec<String> {
    versions.list().unwrap().iter().map(|version| versions.read(&version.id).unwrap()).collect()
}

#[test]
fn what_was_kept_is_listed_and_read_the_newest_first() {
    let dir = tempfile::tempdir().unwrap();
    let versions = versions(&dir);
    assert_eq!(versions.list().unwrap(), []);
    let first = versions.keep(b"one", Source::FoundOnDisk, 1_700_000_000_000).unwrap().unwrap();
    versions.keep(b"two", Source::Ui, 1_700_000_000_500).unwrap().unwrap();
    assert_eq!(first.id, "01700000000000-7692c3ad3540bb80-found-on-disk");
    assert_eq!(first.source.words(), "found on disk");
    assert_eq!(texts(&versions), ["two", "one"]);
    assert_eq!(versions.list().unwrap().last(), Some(&first));
}

#[test]
fn no_version_is_kept_twice_in_a_row_but_an_earlier_one_may_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let versions = versions(&dir);
    for (text, is_new) in [("a", true), ("a", false), ("b", true), ("a", true), ("a", false)] {
        assert_eq!(versions.keep(text.as_bytes(), Source::Api, 5).unwrap().is_some(), is_new);
    }
    assert_eq!(texts(&versions), ["a", "b", "a"]);
}

#[test]
fn the_last_twenty_are_kept_also_when_the_clock_goes_back() {
    let dir = tempfile::tempdir().unwrap();
    let versions = versions(&dir);
    for number in 0..30_u64 {
        versions.keep(number.to_string().as_bytes(), Source::Api, 1_000 - number).unwrap();
    }
    let expected: Vec<String> = (10..30).rev().map(|number| number.to_string()).collect();
    assert_eq!(texts(&versions), expected);
    assert_eq!(std::fs::read_dir(dir.path().join("versions")).unwrap().count(), MOST);
}

#[cfg(unix)]
#[test]
fn o23_versions_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let versions = versions(&dir);
    let version = versions.keep(b"secret", Source::Api, 1).unwrap().unwrap();
    let mode = std::fs::metadata(versions.path(&version)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn an_id_is_never_a_path_and_a_damaged_file_never_a_version() {
    let dir = tempfile::tempdir().unwrap();
    let versions = versions(&dir);
    let version = versions.keep(b"text", Source::Api, 1).unwrap().unwrap();
    std::fs::write(dir.path().join("outside.yaml"), "x").unwrap();
    std::fs::write(dir.path().join("versions/notes.yaml"), "x").unwrap();
    for bad in ["", "../outside", "notes", "..", "/etc/passwd", "00000000000001-982d9e3eb996f559-api/../../outside"] {
        assert_eq!(versions.read(bad).unwrap_err().kind(), io::ErrorKind::NotFound, "{bad}");
    }
    assert_eq!(versions.list().unwrap().len(), 1);
    std::fs::write(versions.path(&version), "texx").unwrap();
    assert_eq!(versions.read(&version.id).unwrap_err().kind(), io::ErrorKind::InvalidData);
}
