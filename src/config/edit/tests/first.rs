//! From a file with nothing in it to one that serves, and back.

use super::*;

const HEAD: &str = "version: 1\nsettings:\n  apiKeys: [house-key] # mine\n";

const PROVIDER: &str = r#"{"type":"groq","apiKey":"${GROQ_API_KEY}"}"#;

const CHAIN: &str = r#"{"entries":[{"provider":"groq","model":"m"}]}"#;

fn delete_chain(name: &str) -> Change {
    Change::DeleteChain { name: name.to_owned() }
}

#[test]
fn the_first_provider_and_the_first_chain_are_added() {
    for lists in [
        "",
        "providers: []\nchains: []\n",
        "providers:\nchains:\n",
        "providers: # mine\nchains:\n",
        "providers: [] # mine\nchains: [] # theirs\n",
        "chains: []\n",
        "\n# nothing yet\n",
        "providers: ~\n",
    ] {
        let text = edit(&format!("{HEAD}{lists}"), &[put_provider("groq", PROVIDER), put_chain("fast", CHAIN)]);
        let text = text.unwrap_or_else(|error| panic!("{lists}: {error}"));
        assert!(text.starts_with(HEAD), "{text}");
        for piece in ["- id: groq\n", "apiKey: ${GROQ_API_KEY}\n", "- name: fast\n", "provider: groq, model: m"] {
            assert!(text.contains(piece), "{lists}: {text}");
        }
        for comment in lists.split('\n').filter_map(|line| line.split_once('#')).map(|(_, comment)| comment) {
            assert!(text.contains(comment), "{lists}: {text}");
        }
        let emptied = edit(&text, &[delete_chain("fast"), delete_provider("groq")]).unwrap();
        assert!(emptied.starts_with(HEAD), "{emptied}");
        assert!(!emptied.contains("groq") && !emptied.contains("fast"), "{emptied}");
        let again = edit(&emptied, &[put_provider("groq", PROVIDER), put_chain("fast", CHAIN)]).unwrap();
        assert!(again.contains("- id: groq\n") && again.contains("- name: fast\n"), "{again}");
    }
}

/// Whatever the default is called in the file: the first chain is it, and the last one may go.
#[test]
fn the_first_chain_is_the_default_and_the_last_one_may_be_deleted() {
    let named = HEAD.replace("settings:\n", "settings:\n  defaultChain: other\n");
    let text = edit(&named, &[put_provider("groq", PROVIDER), put_chain("fast", CHAIN)]).unwrap();
    assert!(text.contains("  defaultChain: fast\n"), "{text}");
    let text = edited(&text, put_chain("slow", CHAIN));
    assert_eq!(edit(&text, &[delete_chain("fast")]), Err(EditError::DefaultChain { chain: "fast".to_owned() }));
    let emptied = edit(&text, &[delete_chain("slow"), delete_chain("fast")]).unwrap();
    assert!(!emptied.contains("defaultChain") && emptied.contains("chains: []"), "{emptied}");
    let text = edited(&emptied, put_chain("calm", CHAIN));
    assert!(text.contains("- name: calm\n") && !text.contains("defaultChain"), "{text}");
}

#[test]
fn a_provider_that_the_last_chain_needs_is_not_deleted() {
    let text = edit(HEAD, &[put_provider("groq", PROVIDER), put_chain("fast", CHAIN)]).unwrap();
    assert_eq!(edit(&text, &[delete_provider("groq")]), Err(EditError::LastEntry { chain: "fast".to_owned() }));
}
