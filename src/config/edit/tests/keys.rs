//! Secrets and references: what is put back masked, and what must never be shown.

use super::*;
use crate::config::model::KeyDigest;
use crate::config::parse;

const TEXT: &str = "\
version: 1
settings:
  apiKeys:
    - proxy-key-in-plain-text # phone
    - ${PROXY_KEY} # laptop
    - { key: 'sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae', label: TV }
  port: ${PORT:-3429}
providers:
  - id: groq
    type: groq
    apiKey: ${GROQ_API_KEY} # free
    headers: { X-Org: org-1234567890abcdef }
  - id: mistral
    type: mistral
    apiKeys:
      - ${MISTRAL_API_KEY}
      - mistral-key-in-plain # of the cat
  - id: zai
    type: zai
    apiKey: 'gsk_7hIsMustNeverBePrinted0123456789'
chains:
  - name: default
    entries: [{ provider: groq, model: a }]
";

/// Items that are mappings are not known to the loader yet: the rest of the file is.
fn loadable() -> String {
    TEXT.lines().filter(|line| !line.contains("label")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn o24_what_was_shown_masked_can_be_put_back_and_changes_nothing() {
    let text = loadable();
    let shown = masked_document(&text, "test.yaml").unwrap();
    let json = serde_json::to_string(&shown).unwrap();
    for secret in ["proxy-key-in-plain-text", "org-1234567890abcdef", "mistral-key-in-plain", "gsk_7hIsMust"] {
        assert!(!json.contains(secret), "{json}");
    }
    assert!(json.contains("${GROQ_API_KEY}") && json.contains("gsk_…6789"), "{json}");
    let mut changes: Vec<Change> = shown
        .get("providers")
        .unwrap()
        .items()
        .iter()
        .map(|provider| Change::PutProvider { id: provider.text("id").unwrap().to_owned(), provider: provider.clone() })
        .collect();
    for (key, value) in shown.get("settings").unwrap().members() {
        changes.push(Change::Set { key: key.clone(), value: value.clone() });
    }
    assert_eq!(edit(&text, &changes).as_deref(), Ok(text.as_str()));
}

#[test]
fn o24_a_mask_of_something_else_is_refused() {
    let text = loadable();
    for change in [
        put_provider("groq", r#"{"type":"groq","apiKey":"gsk_…ffff"}"#),
        put_provider("groq", r#"{"type":"groq","headers":{"X-New":"***"}}"#),
        put_provider("new", r#"{"type":"groq","apiKey":"***"}"#),
        put_provider("mistral", r#"{"type":"mistral","apiKeys":["mist…nope"]}"#),
        set("adminKeys", r#"["abcd…efgh"]"#),
        set("host", r#""***""#),
    ] {
        let error = edit(&text, std::slice::from_ref(&change)).unwrap_err();
        assert!(matches!(error, EditError::Masked { .. }), "{change:?}: {error}");
    }
}

#[test]
fn a_mask_that_could_mean_several_keys_is_refused_when_one_of_them_goes() {
    let long = "key-0123456789abcdef-key";
    for [one, other] in [["short-a", "short-b"], [long, "key-fedcba9876543210-key"]] {
        let text = loadable().replace("${MISTRAL_API_KEY}", one).replace("mistral-key-in-plain", other);
        let masked = mask(one);
        let put = |keys: &[&str]| {
            let keys = serde_json::to_string(keys).unwrap();
            edit(&text, &[put_provider("mistral", &format!(r#"{{"type":"mistral","apiKeys":{keys}}}"#))])
        };
        assert!(matches!(put(&[&masked]), Err(EditError::Masked { .. })), "{masked}");
        assert!(matches!(put(&[&masked, "new", "newer"]), Err(EditError::Masked { .. })), "{masked}");
        assert_eq!(put(&[&masked, &masked]).as_ref(), Ok(&text));
        let new = put(&[&masked, &masked, "new"]).unwrap();
        assert_eq!(difference(&text, &new), ["+      - new"]);
        let new = put(&["new", &masked]).unwrap();
        assert_eq!(difference(&text, &new), [format!("-      - {one}"), "+      - new".to_owned()]);
        assert_eq!(difference(&text, &put(&[other]).unwrap()), [format!("-      - {one}")]);
    }
}

/// What is hidden as a name, because it is a key as well, may come back.
#[test]
fn o24_an_alias_of_a_key_is_hidden_and_means_the_key() {
    let text = loadable().replace(
        "apiKey: 'gsk_7hIsMustNeverBePrinted0123456789'",
        "apiKey: plain-and-simple\n    name: my plain-and-simple key\n    baseUrl: http://plain-and-simple/v1",
    );
    let zai = masked_document(&text, "").unwrap().get("providers").unwrap().items()[2].clone();
    assert_eq!((zai.text("name"), zai.text("baseUrl")), (Some("***"), Some("http://plain-and-simple/v1")));
    assert_eq!(edited(&text, Change::PutProvider { id: "zai".into(), provider: zai }), text);
}

/// Names may be as long as keys, and even begin like some.
#[test]
fn o24_names_that_were_shown_masked_mean_what_is_there() {
    const LONG: &str = "meta/abcdef0123456789abcdef0123456789";
    let models = format!(
        "models: {{ {LONG}: {{ contextWindow: 1 }}, gsk_0123456789: {{ contextWindow: 2 }}, gsk_9876543210: {{}} }}"
    );
    let text = loadable()
        .replace("headers: { X-Org:", &format!("{models}\n    headers: {{ X-abcdef0123456789abcdef0123456789:"))
        .replace("model: a }", &format!("model: {LONG} }}, {{ provider: groq, model: gsk_0123456789 }}"));
    let shown = masked_document(&text, "").unwrap();
    let groq = shown.get("providers").unwrap().items()[0].clone();
    let chain = shown.get("chains").unwrap().items()[0].clone();
    let put = |provider: Value| Change::PutProvider { id: "groq".into(), provider };
    let put_chain = |chain: Value| Change::PutChain { name: "default".into(), chain };
    assert_eq!(edit(&text, &[put(groq.clone()), put_chain(chain.clone())]).unwrap(), text);
    let mut less = groq.clone();
    let mut kept = groq.get("models").unwrap().clone();
    kept.set("***", Value::Null);
    less.set("models", kept);
    let new = edited(&text, put(less));
    assert_eq!(new, text.replace("gsk_0123456789: { contextWindow: 2 }, ", ""));
    for name in ["***", "***4", "***2"] {
        let mut more = groq.clone();
        more.set(
            "models",
            Value::from([
                ("a/b", Value::from([("contextWindow", 1.into())])),
                (name, Value::from([("contextWindow", 5.into())])),
            ]),
        );
        let made = edit(&new, &[put(more)]);
        let is_known = name == "***";
        assert_eq!(made.is_ok(), is_known, "{name}");
        assert!(is_known || matches!(made, Err(EditError::Masked { .. })), "{name}");
    }
    let mut other = chain.clone();
    other.set("entries", value(r#"[{"provider":"groq","model":"***"},{"provider":"groq","model":"***"}]"#));
    assert!(matches!(edit(&text, &[put_chain(other)]), Err(EditError::Masked { .. })));
}

#[test]
fn a_mask_means_the_key_behind_it_wherever_it_stands_in_the_list() {
    let text = loadable();
    let masked = mask("mistral-key-in-plain");
    let new =
        edited(&text, put_provider("mistral", &format!(r#"{{"type":"mistral","apiKeys":["{masked}","new-key"]}}"#)));
    assert_eq!(difference(&text, &new), ["-      - ${MISTRAL_API_KEY}", "+      - new-key"].map(|it| it), "{new}");
}

#[test]
fn a_reference_stays_unless_another_value_is_set() {
    let text = loadable();
    for same in ["${PORT:-3429}", "4000"] {
        assert_eq!(edited(&text, set("port", &format!("\"{same}\""))), text);
    }
    assert_eq!(difference(&text, &edited(&text, set("port", "4001"))), ["-  port: ${PORT:-3429}", "+  port: 4001"]);
    let keeps = put_provider("groq", r#"{"type":"groq","headers":{"X-Org":"org-1234567890abcdef"}}"#);
    assert_eq!(edited(&text, keeps), text);
    let value =
        put_provider("groq", r#"{"type":"groq","apiKey":"gsk_valueOfTheVariable0123","headers":{"X-Org":"***"}}"#);
    assert_eq!(edited(&text, value), text);
    let other = put_provider("groq", r#"{"type":"groq","apiKey":"${OTHER}","headers":{"X-Org":"***"}}"#);
    assert_eq!(
        difference(&text, &edited(&text, other)),
        ["-    apiKey: ${GROQ_API_KEY} # free", "+    apiKey: ${OTHER} # free"]
    );
}

#[test]
fn another_place_for_the_key_takes_the_place_of_the_first() {
    let text = loadable();
    let new = edited(&text, put_provider("zai", r#"{"type":"zai","apiKeys":["0123456789","it's:#2"]}"#));
    assert_eq!(
        difference(&text, &new),
        [
            "-    apiKey: 'gsk_7hIsMustNeverBePrinted0123456789'",
            "+    apiKeys:",
            "+      - \"0123456789\"",
            "+      - it's:#2",
        ]
    );
}

#[test]
fn o23_client_keys_are_added_as_digests_and_removed_in_any_form() {
    let text = loadable();
    let key = KeyDigest::of("a new key");
    let new = edited(&text, Change::AddClientKey { digest: key, label: None });
    let [line] = difference(&text, &new).try_into().unwrap_or_else(|_| panic!("{new}"));
    assert!(line.starts_with("+    - sha256:") && line.len() == 78, "{line}");
    assert_eq!(edited(&new, Change::RemoveClientKey { digest: key }), text);
    for (plain, line) in [
        ("proxy-key-in-plain-text", "-    - proxy-key-in-plain-text # phone"),
        ("proxy-key-of-some-length", "-    - ${PROXY_KEY} # laptop"),
    ] {
        let change = Change::RemoveClientKey { digest: KeyDigest::of(plain) };
        assert_eq!(difference(&text, &edited(&text, change)), [line]);
    }
    let unknown = edit(&text, &[Change::RemoveClientKey { digest: KeyDigest::of("no such key") }]).unwrap_err();
    assert_eq!(unknown.to_string(), "there is no client key `with this digest`");
}

/// The loader does not know them yet, so what comes out is not checked.
#[test]
fn client_keys_may_be_mappings_with_a_label() {
    let (written, resolved) = {
        let editor =
            Editor { origin: "", base_dir: Path::new(""), environment: &ENVIRONMENT, overrides: &Overrides::default() };
        editor.values(TEXT).unwrap()
    };
    let secrets = Secrets::of(&written);
    let present = Present { written: &written, resolved: &resolved, secrets: &secrets };
    let apply = |change: Change| reconcile(TEXT, &change.apply(present).unwrap()).unwrap();
    let gone = apply(Change::RemoveClientKey { digest: KeyDigest::of("foo") });
    assert_eq!(difference(TEXT, &gone), [format!("-{}", TEXT.lines().nth(5).unwrap())]);
    assert_eq!(apply(Change::AddClientKey { digest: KeyDigest::of("foo"), label: Some("x".into()) }), TEXT);
    let new = apply(Change::AddClientKey { digest: KeyDigest::of("bar"), label: Some("Mum's".into()) });
    let [line] = difference(TEXT, &new).try_into().unwrap_or_else(|_| panic!("{new}"));
    assert!(line.starts_with("+    - ") && line.contains("label: Mum's"), "{line}");
    let shown = masked_text(TEXT, "").unwrap();
    assert!(shown.contains("{ key: sha256:2c26…e7ae, label: TV }"), "{shown}");
}

#[test]
fn o24_no_secret_is_in_an_error() {
    let secret = "gsk_7hIsMustNeverBePrinted0123456789 with spaces";
    for change in [
        put_provider("groq", &format!(r#"{{"type":"groq","apiKey":"{secret}"}}"#)),
        put_provider("groq", &format!(r#"{{"type":"{secret}"}}"#)),
        put_provider(secret, r#"{"type":"groq"}"#),
        put_provider("groq", &format!(r#"{{"type":"groq","{secret}":1}}"#)),
        put_provider("groq", &format!(r#"{{"type":"groq","timeout":"{secret}"}}"#)),
        put_provider("groq", &format!(r#"{{"id":"{secret}"}}"#)),
        put_provider("groq", &format!(r#"{{"type":"groq","headers":{{"X":"{secret}\u0007"}}}}"#)),
        set("apiKeys", &format!(r#"["{secret}"]"#)),
        set(secret, "1"),
        delete_provider(secret),
        remove(secret, 0),
        Change::RenameChain { from: "default".into(), to: secret.into() },
        Change::SetDefaultChain { name: secret.into() },
        Change::OrderChains { names: vec![secret.into()] },
        insert("default", 9, &format!(r#"{{"provider":"{secret}"}}"#)),
    ] {
        let error = edit(&loadable(), std::slice::from_ref(&change)).unwrap_err();
        assert!(!error.to_string().contains("7hIsMust"), "{error}");
    }
}

#[test]
fn what_is_edited_is_what_is_loaded() {
    let text = loadable();
    let new = edited(&text, put_provider("groq", r#"{"type":"groq","apiKey":"a\"b'c\\d#e:f"}"#));
    let config = parse(&new, "", Path::new(""), &ENVIRONMENT, &Overrides::default()).unwrap();
    assert_eq!(config.providers[0].keys[0].expose(), "a\"b'c\\d#e:f");
}
