use std::cell::{Cell, RefCell};
use std::path::Path;

use super::super::edit::EditError;
use super::super::environment::Environment;
use super::super::layers::Overrides;
use super::*;

const GOOD: &str = "version: 1\nsettings: { apiKeys: [k], port: 3429 } # mine\nproviders: [{ id: a, type: local }]\nchains: \
                    [{ name: c, entries: [{ provider: a, model: m }] }]\n";

struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    fn with(text: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("etc")).unwrap();
        std::fs::write(dir.path().join("etc/config.yaml"), text).unwrap();
        Self { dir }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("etc/config.yaml")
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn file(&self) -> ConfigFile {
        ConfigFile::new(self.path(), self.data())
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.path()).unwrap()
    }

    /// What is in the folder of the file: nothing is left lying about.
    fn names(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.dir.path().join("etc")).unwrap();
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn versions(&self) -> Vec<(Source, String)> {
        let versions = Versions::new(self.data());
        versions.list().unwrap().into_iter().map(|it| (it.source, versions.read(&it.id).unwrap())).collect()
    }
}

fn editor<'a>() -> Editor<'a> {
    const NOTHING: &Overrides = &Overrides { host: None, port: None, data_dir: None, static_dir: None };
    static NONE: [(&str, &str); 0] = [];
    Editor {
        origin: "config.yaml",
        base_dir: Path::new(""),
        environment: &NONE as &dyn Environment,
        overrides: NOTHING,
    }
}

/// A disk on which some operations fail, and which can do something behind a writer's back.
#[derive(Default)]
struct Failing {
    replace: Cell<Option<io::ErrorKind>>,
    create_beside: Cell<Option<io::ErrorKind>>,
    /// How many writes in place fail half way.
    overwrite: Cell<usize>,
    may_write: RefCell<Vec<(PathBuf, io::ErrorKind)>>,
    meanwhile: RefCell<Option<(PathBuf, String)>>,
}

impl Disk for &Failing {
    fn create(&self, path: &Path, contents: &[u8], like: Option<&fs::Metadata>) -> io::Result<()> {
        match self.create_beside.get().filter(|_| like.is_some()) {
            Some(kind) => Err(kind.into()),
            None => RealDisk.create(path, contents, like),
        }
        .inspect(|()| {
            if let Some((path, text)) = self.meanwhile.take() {
                std::fs::write(path, text).unwrap();
            }
        })
    }

    fn replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.replace.get().map_or_else(|| RealDisk.replace(from, to), |kind| Err(kind.into()))
    }

    fn overwrite(&self, path: &Path, contents: &[u8]) -> io::Result<()> {
        match self.overwrite.get() {
            0 => RealDisk.overwrite(path, contents),
            left => {
                self.overwrite.set(left - 1);
                RealDisk.overwrite(path, contents.get(..contents.len() / 2).unwrap())?;
                Err(io::ErrorKind::StorageFull.into())
            }
        }
    }

    fn may_write(&self, path: &Path) -> io::Result<()> {
        let known = self.may_write.borrow();
        known
            .iter()
            .find(|(of, _)| of == path)
            .map_or_else(|| RealDisk.may_write(path), |(_, kind)| Err((*kind).into()))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        RealDisk.read(path)
    }
}

fn on<'a>(disk: &'a Failing, home: &Home) -> ConfigFile<&'a Failing> {
    ConfigFile::on(disk, home.path(), home.data())
}

#[test]
fn o24_a_new_file_takes_the_place_of_the_old_one_and_nothing_is_left_behind() {
    let home = Home::with("old");
    let file = home.file();
    let (text, revision) = file.read().unwrap();
    assert_eq!((text.as_str(), file.writable()), ("old", Writable::Rename));
    let new = file.write("new", revision).unwrap();
    assert_eq!((home.text().as_str(), new), ("new", Revision::of(b"new")));
    assert_eq!(home.names(), ["config.yaml"]);
    assert_eq!(file.interrupted(), None);
}

#[cfg(unix)]
#[test]
fn mode_owner_and_links_stay() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    let home = Home::with("old");
    std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o640)).unwrap();
    // Only an administrator can give files away: for others the owner is the same before and after in any case.
    let stranger = std::os::unix::fs::chown(home.path(), Some(12_345), Some(54_321)).is_ok();
    let link = home.dir.path().join("link.yaml");
    symlink("etc/config.yaml", &link).unwrap();
    let before = std::fs::metadata(home.path()).unwrap();
    let file = ConfigFile::new(link.clone(), home.data());
    file.write("new", Revision::of(b"old")).unwrap();
    let after = std::fs::metadata(home.path()).unwrap();
    assert_eq!(home.text(), "new");
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_ne!(before.ino(), after.ino());
    assert_eq!((after.mode() & 0o7777, after.uid(), after.gid()), (0o640, before.uid(), before.gid()));
    assert!(!stranger || after.uid() == 12_345);
}

#[cfg(unix)]
#[test]
fn a_file_with_several_names_is_written_in_place() {
    let home = Home::with("the old contents, which are longer");
    let other = home.dir.path().join("other.yaml");
    std::fs::hard_link(home.path(), &other).unwrap();
    let file = home.file();
    assert_eq!(file.writable(), Writable::InPlace);
    file.write("new", Revision::of(home.text().as_bytes())).unwrap();
    assert_eq!(std::fs::read_to_string(other).unwrap(), "new");
    assert_eq!(file.interrupted(), None);
}

#[test]
fn o24_a_change_made_from_an_older_file_is_refused() {
    let home = Home::with("newer");
    let file = home.file();
    let stale = WriteError::Stale { current: Revision::of(b"newer") };
    assert_eq!(file.write("mine", Revision::of(b"older")), Err(stale.clone()));
    assert_eq!(file.save("mine", Revision::of(b"older"), Source::Api, 1), Err(stale.clone()));
    let refused = file.edit(&editor(), &[], Revision::of(b"older"), Source::Api, 1);
    assert_eq!(refused, Err(ChangeError::Write(stale)));
    assert_eq!((home.text().as_str(), home.versions().len()), ("newer", 0));
}

#[test]
fn o24_what_somebody_saves_in_the_last_moment_is_not_lost() {
    let home = Home::with("old");
    let disk = Failing::default();
    disk.meanwhile.replace(Some((home.path(), "of an editor".to_owned())));
    let refused = on(&disk, &home).write("mine", Revision::of(b"old"));
    assert_eq!(refused, Err(WriteError::Stale { current: Revision::of(b"of an editor") }));
    assert_eq!((home.text().as_str(), home.names().len()), ("of an editor", 1));
}

#[test]
fn writers_exclude_each_other() {
    let home = Home::with("old");
    let lock = lock(&home.path()).unwrap();
    assert_eq!(home.file().write("new", Revision::of(b"old")), Err(WriteError::Busy));
    drop(lock);
    assert!(home.file().write("new", Revision::of(b"old")).is_ok());
}

#[test]
fn where_a_new_file_cannot_take_the_place_the_old_one_is_written() {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, ResourceBusy};
    for (replace, create) in [(Some(ResourceBusy), None), (Some(CrossesDevices), None), (None, Some(PermissionDenied))]
    {
        let home = Home::with("the old contents, which are longer");
        let disk = Failing::default();
        disk.replace.set(replace);
        disk.create_beside.set(create);
        on(&disk, &home).write("new", Revision::of(home.text().as_bytes())).unwrap();
        assert_eq!((home.text().as_str(), home.names().len()), ("new", 1));
        assert_eq!(home.file().interrupted(), None);
    }
    let home = Home::with("old");
    let disk = Failing::default();
    disk.may_write.borrow_mut().push((home.path().parent().unwrap().canonicalize().unwrap(), PermissionDenied));
    disk.replace.set(Some(io::ErrorKind::Other));
    let file = on(&disk, &home);
    assert_eq!(file.writable(), Writable::InPlace);
    file.write("new", Revision::of(b"old")).unwrap();
    assert_eq!(home.text(), "new");
}

#[test]
fn o24_a_write_in_place_that_fails_half_way_is_taken_back() {
    let home = Home::with("the old contents");
    let disk = Failing::default();
    disk.replace.set(Some(io::ErrorKind::ResourceBusy));
    disk.overwrite.set(1);
    let failed = on(&disk, &home).write("the new contents", Revision::of(b"the old contents"));
    assert_eq!(failed, Err(WriteError::Failed { reason: "the disk is full".to_owned() }));
    assert_eq!((home.text().as_str(), home.file().interrupted()), ("the old contents", None));

    disk.overwrite.set(2);
    let failed = on(&disk, &home).write("the new contents", Revision::of(b"the old contents"));
    let Err(WriteError::Broken { backup, .. }) = failed else { panic!("{failed:?}") };
    assert_eq!(std::fs::read_to_string(&backup).unwrap(), "the old contents");
    assert_eq!(home.file().interrupted(), Some(backup));
}

#[test]
fn a_full_disk_changes_nothing() {
    let home = Home::with("old");
    let disk = Failing::default();
    disk.create_beside.set(Some(io::ErrorKind::StorageFull));
    let failed = on(&disk, &home).save("new", Revision::of(b"old"), Source::Ui, 1);
    assert_eq!(failed, Err(WriteError::Failed { reason: "the disk is full".to_owned() }));
    assert_eq!((home.text().as_str(), home.names().len()), ("old", 1));
}

#[test]
fn what_must_not_be_written_is_known_before_anything_is_lost() {
    let home = Home::with("old");
    let disk = Failing::default();
    disk.may_write.borrow_mut().push((home.path().canonicalize().unwrap(), io::ErrorKind::ReadOnlyFilesystem));
    let reason = "it is on a read-only file system".to_owned();
    assert_eq!(on(&disk, &home).writable(), Writable::No(reason.clone()));
    let refused = on(&disk, &home).save("new", Revision::of(b"old"), Source::Ui, 1);
    assert_eq!(refused, Err(WriteError::ReadOnly { reason }));

    let mut mode = std::fs::metadata(home.path()).unwrap().permissions();
    mode.set_readonly(true);
    std::fs::set_permissions(home.path(), mode).unwrap();
    let reason = "the file is marked read-only".to_owned();
    assert_eq!(home.file().writable(), Writable::No(reason.clone()));
    assert_eq!(home.file().write("new", Revision::of(b"old")), Err(WriteError::ReadOnly { reason }));
    assert_eq!((home.text().as_str(), home.versions().len()), ("old", 0));

    std::fs::remove_file(home.path()).unwrap();
    assert_eq!(home.file().writable(), Writable::No("there is no such file".to_owned()));
    assert!(matches!(home.file().write("new", Revision::of(b"old")), Err(WriteError::Failed { .. })));
}

#[test]
fn what_cannot_be_kept_is_not_replaced() {
    let home = Home::with("old");
    std::fs::write(home.data(), "a file where the folder should be").unwrap();
    let refused = home.file().save("new", Revision::of(b"old"), Source::Ui, 1);
    assert!(matches!(refused, Err(WriteError::NotKept { .. })), "{refused:?}");
    assert_eq!(home.text(), "old");
}

#[test]
fn o24_an_edit_keeps_what_was_there_and_can_be_undone() {
    let home = Home::with(GOOD);
    let file = home.file();
    let revision = Revision::of(GOOD.as_bytes());
    let change = Change::Set { key: "port".to_owned(), value: 4000.into() };
    let (text, new) = file.edit(&editor(), &[change], revision, Source::Ui, 1_000).unwrap();
    assert_eq!(text, GOOD.replace("3429", "4000"));
    assert_eq!((home.text(), new), (text.clone(), Revision::of(text.as_bytes())));
    assert_eq!(home.versions(), [(Source::Ui, text.clone()), (Source::FoundOnDisk, GOOD.to_owned())]);

    let oldest = file.versions().list().unwrap().pop().unwrap();
    let (restored, _) = file.restore(&editor(), &oldest.id, new, 2_000).unwrap();
    assert_eq!((restored.as_str(), home.text().as_str()), (GOOD, GOOD));
    assert_eq!(home.versions().first(), Some(&(Source::Restored, GOOD.to_owned())));
    assert_eq!(home.versions().len(), 3);
}

#[test]
fn o24_a_change_that_cannot_be_used_changes_neither_the_file_nor_the_versions() {
    let home = Home::with(GOOD);
    let file = home.file();
    let revision = Revision::of(GOOD.as_bytes());
    let change = Change::Set { key: "port".to_owned(), value: "many".into() };
    let refused = file.edit(&editor(), &[change], revision, Source::Ui, 1_000);
    assert!(matches!(refused, Err(ChangeError::Edit(EditError::Refused(_)))), "{refused:?}");
    let bad = Versions::new(home.data()).keep(b"version: 2\n", Source::FoundOnDisk, 1).unwrap().unwrap();
    let refused = file.restore(&editor(), &bad.id, revision, 2_000);
    assert!(matches!(refused, Err(ChangeError::Config(_))), "{refused:?}");
    let refused = file.restore(&editor(), "../etc/config", revision, 2_000);
    assert!(matches!(refused, Err(ChangeError::Version(_))), "{refused:?}");
    assert_eq!((home.text().as_str(), home.versions().len()), (GOOD, 1));
}

#[test]
fn an_edit_that_changes_nothing_writes_nothing() {
    let home = Home::with(GOOD);
    let before = std::fs::metadata(home.path()).unwrap().modified().unwrap();
    let change = Change::Set { key: "port".to_owned(), value: 3429.into() };
    let revision = Revision::of(GOOD.as_bytes());
    assert_eq!(home.file().edit(&editor(), &[change], revision, Source::Ui, 1).unwrap(), (GOOD.to_owned(), revision));
    assert_eq!(std::fs::metadata(home.path()).unwrap().modified().unwrap(), before);
}
