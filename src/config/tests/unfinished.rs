//! Files of a proxy that is still to be set up.

use super::*;

const NO_PROVIDER: &str = "no provider is configured yet: add one in the UI at /ui or in the configuration file";
const ALL_DISABLED: &str = "all providers are disabled, so no request can be served: give one of them its key and `enabled: true`, \
                            in the UI at /ui or in the configuration file";
const NO_CHAIN: &str = "no chain is configured yet: make one in the UI at /ui or in the configuration file";

/// The part of `LEAST` before its providers.
fn with_lists(lists: &str) -> String {
    let (head, _) = LEAST.split_once("providers:").unwrap();
    format!("{head}{lists}")
}

#[test]
fn a_file_may_have_no_provider_and_no_chain() {
    for lists in ["", "providers: []\nchains: []\n", "providers:\nchains:\n", "chains: ~\n", "providers: # soon\n"] {
        let config = good(&with_lists(lists));
        assert_eq!((config.providers.len(), config.chains.len()), (0, 0), "{lists}");
        assert_eq!(config.notices, [NO_PROVIDER, NO_CHAIN], "{lists}");
        assert_eq!(config.settings.default_chain.as_str(), "default");
    }
}

#[test]
fn a_file_may_have_providers_and_no_chain() {
    for (provider, notices) in [
        ("{ id: a, type: local }", &[NO_CHAIN][..]),
        ("{ id: a, type: groq, enabled: false }", &[ALL_DISABLED, NO_CHAIN]),
    ] {
        let config = good(&with_lists(&format!("providers: [{provider}]\n")));
        assert_eq!(config.notices, notices, "{provider}");
    }
    assert_eq!(good(&with("apiKey: groq-key", "enabled: false")).notices, [ALL_DISABLED]);
}

/// What a default is called may be known before there are chains.
#[test]
fn a_default_chain_may_be_named_in_advance() {
    let config = good(&with_lists("").replace("settings:\n", "settings:\n  defaultChain: fast\n"));
    assert_eq!(config.settings.default_chain.as_str(), "fast");
}

#[test]
fn what_is_wrong_with_a_chain_is_wrong_without_providers() {
    let errors = read(&with_lists("chains: [{ name: c, entries: [{ provider: a, model: m }] }]\n")).unwrap_err();
    assert_eq!(errors.problems().len(), 1, "{errors}");
    assert!(errors.to_string().contains("no provider has the id `a`"), "{errors}");
    let errors = read(&with_lists("chains: [{ name: c, entries: [] }]\n")).unwrap_err();
    assert!(errors.to_string().contains("at least one entry"), "{errors}");
}

/// Who has switched on a provider wants it to be called.
#[test]
fn what_no_request_can_reach_is_told() {
    let lists = |entry: &str| {
        let providers = "[{ id: a, type: local }, { id: b, type: groq, enabled: false }]";
        good(&with_lists(&format!(
            "providers: {providers}\nchains: [{{ name: c, entries: [{{ provider: {entry}, model: m }}] }}]\n"
        )))
    };
    assert_eq!(lists("a").notices, [""; 0]);
    assert_eq!(
        lists("b").notices,
        [
            "no request to the chain c can be served: the providers of all its entries are disabled",
            "a is enabled and stands in no chain: add an entry with one of its models"
        ]
    );
}

#[test]
fn a_pattern_of_an_address_is_no_address() {
    let cloudflare = |enabled| {
        let url = "https://api.cloudflare.com/client/v4/accounts/ACCOUNT_ID/ai/v1";
        let provider = format!("{{ id: a, type: cloudflare, apiKey: k, enabled: {enabled}, baseUrl: \"{url}\" }}");
        read(&with_lists(&format!("providers: [{provider}]\n")))
    };
    let errors = cloudflare(true).unwrap_err().to_string();
    assert!(errors.contains("providers[0].baseUrl") && errors.contains("ACCOUNT_ID"), "{errors}");
    cloudflare(false).unwrap();
}
