//! Deployments that are not carried over, with the right reason.

use super::*;

#[test]
fn cloudflare_is_known_and_its_account_is_asked_for() {
    let file = |more: &str| {
        format!(
            "model_list: [{{ model_name: a, litellm_params: {{ model: cloudflare/@cf/meta/llama, api_key: k{more} }} }}]"
        )
    };
    let place = "https://api.cloudflare.com/client/v4/accounts/abc/ai";
    for given in [format!("{place}/run/"), format!("{place}/v1")] {
        let imported = from(&file(&format!(", api_base: \"{given}\"")));
        let config = read(&imported);
        assert_eq!(config.providers[0].base_url, format!("{place}/v1"));
        assert_eq!(config.chains[0].entries[0].model.as_str(), "@cf/meta/llama");
        assert!(imported.notes.is_empty(), "{:?}", imported.notes);
    }
    let elsewhere = from(&file(", api_base: https://gateway.example/workers-ai")).notes.join("\n");
    assert!(elsewhere.contains("has to end with /ai/v1"), "{elsewhere}");

    let imported = from(&file(""));
    assert_eq!(imported.missing, ["CLOUDFLARE_ACCOUNT_ID"]);
    assert!(imported.notes.join("\n").contains("cloudflare: the account id is missing"), "{:?}", imported.notes);
    assert!(!read(&imported).providers[0].enabled);
    let mut environment = environment();
    environment.insert("CLOUDFLARE_ACCOUNT_ID".to_owned(), "abc".to_owned());
    let imported = import(&file(""), "l.yaml", &environment).unwrap();
    assert!(imported.notes.is_empty() && imported.missing.is_empty(), "{:?}", imported.notes);
    let config = parse(&imported.text, "t.yaml", Path::new(""), &environment, &Overrides::default()).unwrap();
    assert_eq!(config.providers[0].base_url, format!("{place}/v1"));
}

#[test]
fn a_file_of_nothing_but_wildcards_is_one_of_litellm_all_the_same() {
    let refusal = refusal(
        "model_list:\n  - { model_name: 'openrouter/*', litellm_params: { model: 'openrouter/*', api_key: k } }\n  \
         - { model_name: '*', litellm_params: { model: 'groq/*' } }\n  \
         - { model_name: claude, litellm_params: { model: anthropic/claude } }\n",
    );
    assert!(refusal.starts_with("l.yaml: no deployment in `model_list` can be carried over"), "{refusal}");
    assert!(refusal.contains("\n    openrouter/*, groq/*: wildcards are not carried over"), "{refusal}");
    assert!(refusal.contains("\n    anthropic/claude: `anthropic` does not speak the OpenAI protocol"), "{refusal}");
    assert!(!refusal.contains("no configuration of LiteLLM's"), "{refusal}");
}

#[test]
fn models_for_audio_and_images_are_called_that() {
    let model = |model: &str, info: &str| {
        format!("  - {{ model_name: x, litellm_params: {{ model: {model}, api_key: k }}, model_info: {{ {info} }} }}\n")
    };
    let others = ["whisper-1", "openai/gpt-image-1", "dall-e-3", "groq/whisper-large-v3", "gpt-4o-mini-tts"];
    let mut text = "model_list:\n".to_owned() + &model("openai/gpt-4o", "mode: chat");
    text.extend(others.iter().map(|name| model(name, "")));
    text += &model("groq/drawing", "mode: image_generation");
    text += &model("groq/whisper-of-the-wind", "mode: chat");
    let imported = from(&text);
    assert_eq!(chains(&imported), ["x: gpt-4o whisper-of-the-wind"]);
    let [note] = imported.notes.as_slice() else { panic!("{:?}", imported.notes) };
    assert!(note.starts_with(&format!("{}, groq/drawing: models for audio, images", others.join(", "))), "{note}");
    assert!(note.contains("only chat and embeddings are spoken here"), "{note}");
}

#[test]
fn an_address_that_cannot_be_read_never_becomes_the_usual_one() {
    let refusal = refusal("model_list: [{ model_name: a, litellm_params: { model: openai/m, api_base: [x] } }]");
    assert!(refusal.contains("a (openai/m): `api_base` is no text; left out"), "{refusal}");
}

/// What the file says ends up in a comment.
#[test]
fn control_characters_stay_out_of_the_notes() {
    let imported =
        from("model_list:\n  - { model_name: a, litellm_params: { model: groq/m, api_key: k, \"x\\ny\\x1b\": 1 } }\n");
    assert_eq!(imported.notes, ["litellm_params.x y : no counterpart here, left out"]);
    read(&imported);
}
