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

fn starter(environment: &dyn Environment) -> Starter {
    super::starter(environment, usual()).unwrap()
}

fn read(starter: &Starter, environment: &dyn Environment) -> Config {
    parse(&starter.text, "test.yaml", Path::new(""), environment, &Overrides::default())
        .unwrap_or_else(|errors| panic!("{errors}\n{}", starter.text))
}

fn variables() -> Vec<&'static str> {
    usual().filter_map(|preset| preset.variable).collect()
}

#[test]
fn one_key_is_enough_to_start_and_the_others_may_come_later() {
    for name in variables() {
        let environment = environment(&[name]);
        let starter = starter(&environment);
        let config = read(&starter, &environment);
        assert_eq!(enabled(&config).len(), 1, "{name}");
        assert_eq!((starter.present.as_slice(), starter.missing.len()), ([name].as_slice(), variables().len() - 1));
        assert_eq!(config.settings.api_keys, [ClientKey::numbered(0, &starter.client_key)]);
    }
    let environment = environment(&variables());
    let starter = starter(&environment);
    let config = read(&starter, &environment);
    assert_eq!(enabled(&config)[..5], ["groq", "google", "openrouter", "mistral", "cerebras"]);
    assert_eq!(starter.missing, [""; 0]);
}

#[test]
fn without_any_key_a_notice_says_what_to_do() {
    let starter = starter(&[("GROQ_API_KEY", " ")]);
    let config = read(&starter, &[]);
    assert_eq!(enabled(&config), [""; 0]);
    assert_eq!(config.notices.len(), 1, "{:?}", config.notices);
    assert!(config.notices[0].contains("all providers are disabled") && config.notices[0].contains("/ui"));
    assert!(starter.text.contains("# set GROQ_API_KEY, then say true here"));
}

#[test]
fn services_are_picked_by_id_or_by_type() {
    let names = ["groq", "google-ai", "local", "cloudflare"].map(str::to_owned);
    let services = picked(&names).unwrap();
    assert_eq!(services.iter().map(|preset| preset.id).collect::<Vec<_>>(), ["groq", "google", "local", "cloudflare"]);
    let environment = environment(&["GEMINI_API_KEY"]);
    let config = read(&super::starter(&environment, services).unwrap(), &environment);
    assert_eq!(enabled(&config), ["google", "local"]);
    assert_eq!(picked(&["grok".to_owned()]).unwrap_err(), "grok");
    let nothing = super::starter(&environment, []).unwrap();
    assert_eq!(read(&nothing, &environment).providers.len(), 0);
}

/// What the file says of limits is what the preset says.
/// Whoever has the key only would be refused at the start.
#[test]
fn a_service_whose_address_has_to_be_completed_is_switched_off() {
    let environment = environment(&["CLOUDFLARE_API_TOKEN"]);
    let services = picked(&["cloudflare".to_owned()]).unwrap();
    let starter = super::starter(&environment, services).unwrap();
    assert_eq!(enabled(&read(&starter, &environment)), [""; 0]);
    assert!(starter.text.contains("complete baseUrl") && starter.present.is_empty(), "{}", starter.text);
}

#[test]
fn known_limits_are_written_as_values_that_can_be_edited() {
    let environment = environment(&variables());
    let config = read(&starter(&environment), &environment);
    let groq = &config.providers[0].limits;
    assert_eq!((groq.requests_per_minute, groq.requests_per_day), (30.try_into().ok(), 1_000.try_into().ok()));
    let text = starter(&environment).text;
    for preset in usual() {
        assert!(text.contains(preset.plan) && text.contains(preset.key_page.unwrap()), "{}", preset.id);
        assert!(preset.plan.contains("202"), "{} says as of when", preset.id);
    }
}

#[test]
fn each_file_has_a_client_key_of_its_own() {
    let [one, two] = [starter(&[]), starter(&[])];
    assert_ne!(one.client_key, two.client_key);
    assert!(one.client_key.starts_with("sk-429-") && one.client_key.len() == 7 + 48);
    assert!(one.text.contains(&one.client_key));
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
