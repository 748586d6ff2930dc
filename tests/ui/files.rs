//! Style and scripts.

use super::{Visitor, app};
use crate::support::app::{App, chain_of, healthy};

use std::collections::BTreeMap;
use std::path::Path;

use chain429::config::{self, Overrides};

fn sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn vendored_files_are_what_they_say() {
    let readme = std::fs::read_to_string("static/vendor/README.md").unwrap();
    let mut seen = 0;
    for file in std::fs::read_dir("static/vendor").unwrap().map(|file| file.unwrap().path()) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if name == "README.md" {
            continue;
        }
        let line =
            readme.lines().find(|line| line.contains(&name)).unwrap_or_else(|| panic!("{name} is not in README.md"));
        assert!(line.contains(&sha256(&std::fs::read(&file).unwrap())), "{name} is not what README.md says");
        seen += 1;
    }
    assert_eq!(seen, 2);
}

#[test]
fn style_and_script_stay_small() {
    let files = [
        ("static/app.css", 16 << 10),
        ("static/app.js", 10 << 10),
        ("static/edit.css", 8 << 10),
        ("static/edit.js", 6 << 10),
        ("static/vendor/htmx-4.0.1.min.js", 37_448),
        ("static/vendor/hx-sse-4.0.1.min.js", 6_532),
    ];
    let mut sum = 0;
    for (file, most) in files {
        let size = std::fs::metadata(file).unwrap().len();
        assert!(size <= most, "{file} has {size} bytes, {most} are enough");
        sum += size;
    }
    assert!(sum <= 90_000, "{sum} bytes in all");
}

/// Spellings of htmx 2 do nothing in htmx 4, or something else.
#[test]
fn templates_hold_nothing_inline_and_nothing_of_htmx_2() {
    let files = std::fs::read_dir("templates").unwrap().map(|file| file.unwrap().path());
    for file in files.chain(["static/app.js", "static/edit.js"].map(|file| Path::new(file).to_owned())) {
        let text = std::fs::read_to_string(&file).unwrap();
        for old in ["hx-ext=", "sse-swap", "sse-connect=\"", "hx-disabled-elt", "hx-on", "js:", "hx-vars", "hx-params"]
        {
            assert!(!text.replace("hx-sse:connect", "").contains(old), "{}: {old}", file.display());
        }
        let camel = text.split("htmx:").skip(1).filter(|rest| {
            let name: String = rest.chars().take_while(|sign| sign.is_ascii_alphabetic()).collect();
            name.chars().any(|sign| sign.is_ascii_uppercase())
        });
        assert_eq!(camel.count(), 0, "{}: an event of htmx 2", file.display());
        if file.extension().is_some_and(|kind| kind == "html") {
            assert!(!text.contains(" style=") && !text.contains("<style"), "{}", file.display());
            let inline = text.split("<script").skip(1).filter(|rest| !rest.trim_start().starts_with("src="));
            assert_eq!(inline.count(), 0, "{}", file.display());
            let handlers = text.split_whitespace().filter(|word| word.starts_with("on") && word.contains('='));
            assert_eq!(handlers.collect::<Vec<_>>(), Vec::<&str>::new(), "{}", file.display());
        }
    }
}

#[actix_rt::test]
async fn files_are_kept_for_ever_and_named_by_what_is_in_them() {
    let (app, _provider) = app().await;
    let visitor = Visitor::new(&app);
    let page = visitor.get("/ui/login").await.text();
    let mut sizes = 0;
    let urls: Vec<&str> = page.split('"').filter(|text| text.starts_with("/ui/static/")).collect();
    assert_eq!(urls.len(), 5, "{urls:?}");
    for url in urls {
        let reply = visitor.get(url).await;
        assert_eq!(
            (reply.status, reply.header("cache-control")),
            (200, "public, max-age=31536000, immutable"),
            "{url}"
        );
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert!(url.contains("?v=") || url.contains("4.0.1"), "{url}");
        sizes += reply.body.len();
    }
    assert!(sizes <= 90_000, "{sizes} bytes");
    for path in ["/ui/static/", "/ui/static/app.cs", "/ui/static/../Cargo.toml", "/ui/static/%2e%2e/Cargo.toml"] {
        assert_ne!(visitor.get(path).await.status, 200, "{path}");
    }
    app.stop().await;
}

#[actix_rt::test]
async fn a_folder_takes_the_place_of_the_files_in_the_binary() {
    let (dir, provider) = (tempfile::tempdir().unwrap(), healthy().await);
    std::fs::write(dir.path().join("app.css"), "body{}").unwrap();
    std::fs::write(dir.path().join("secret.txt"), "x").unwrap();
    let overrides = Overrides { static_dir: Some(dir.path().to_owned()), ..Overrides::default() };
    let (yaml, nothing) = (chain_of(&[("a", &provider)]), BTreeMap::<String, String>::new());
    let config = config::parse(&yaml, "test.yaml", Path::new("."), &nothing, &overrides).unwrap();
    let app = App::start_config(config);
    let visitor = Visitor::new(&app);
    let style = visitor.get("/ui/static/app.css").await;
    assert_eq!((style.text().as_str(), style.header("cache-control")), ("body{}", "no-cache"));
    for path in ["app.js", "secret.txt", "../secret.txt"] {
        assert_ne!(visitor.get(&format!("/ui/static/{path}")).await.status, 200, "{path}");
    }
    app.stop().await;
}
