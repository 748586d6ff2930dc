use std::collections::BTreeMap;

use super::super::model::{ClientKey, Config};
use super::super::{Overrides, parse};
use super::*;

fn environment(names: &[&str]) -> BTreeMap<String, String> {
    names.iter().map(|name| ((*name).to_owned(), format!("key-of-{name}"))).collect()
}

fn enabled(config: &Config) -> Vec<&str> {
    config.providers.iter().filter(|provider| provider.enabled).map(|provider| provider.id.as_str()).collect()
}

#[test]
fn one_key_is_enough_to_start_and_the_others_may_come_later() {
    for name in VARIABLES {
        let environment = environment(&[name]);
        let starter = starter(&environment).unwrap();
        let config = parse(&starter.text, "test.yaml", Path::new(""), &environment, &Overrides::default())
            .unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(enabled(&config).len(), 1, "{name}");
        assert_eq!((starter.present.as_slice(), starter.missing.len()), ([name].as_slice(), 4));
        assert_eq!(config.settings.api_keys, [ClientKey::numbered(0, &starter.client_key)]);
    }
    let environment = environment(&VARIABLES);
    let starter = starter(&environment).unwrap();
    let config = parse(&starter.text, "test.yaml", Path::new(""), &environment, &Overrides::default()).unwrap();
    assert_eq!(enabled(&config), ["groq", "cerebras", "google", "openrouter", "mistral"]);
    assert_eq!(starter.missing, [""; 0]);
}

#[test]
fn without_any_key_a_notice_says_what_to_do() {
    let starter = starter(&[("GROQ_API_KEY", " ")]).unwrap();
    let config = parse(&starter.text, "test.yaml", Path::new(""), &[], &Overrides::default()).unwrap();
    assert_eq!(enabled(&config), [""; 0]);
    assert_eq!(config.notices.len(), 1, "{:?}", config.notices);
    assert!(config.notices[0].contains("all providers are disabled") && config.notices[0].contains("/ui"));
    assert!(starter.text.contains("# set GROQ_API_KEY, then say true here"));
}

#[test]
fn each_file_has_a_client_key_of_its_own() {
    let [one, two] = [starter(&[]).unwrap(), starter(&[]).unwrap()];
    assert_ne!(one.client_key, two.client_key);
    assert!(one.client_key.starts_with("sk-429-") && one.client_key.len() == 7 + 48);
    assert!(one.text.contains(&one.client_key) && !one.text.contains(PLACEHOLDER));
}

#[test]
fn nothing_is_ever_overwritten_and_only_the_owner_can_read_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new/folder/config.yaml");
    write_new(&path, "first").unwrap();
    assert_eq!(write_new(&path, "second").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read_to_string(&path).unwrap(), "first");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
