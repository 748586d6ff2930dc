//! The form of a provider: what stands in it, and what it means for the file.

use super::super::fields::{Fields, Wrong, wrong_with};
use super::forget_keys;
use crate::config::edit::Value;
use crate::config::presets::Preset;
use crate::domain::dialect::Dialect;

/// Keys of `rateLimits` that have a field, and what people call them.
pub(super) const LIMITS: [(&str, &str); 8] = [
    ("requestsPerMinute", "Requests per minute"),
    ("requestsPerHour", "Requests per hour"),
    ("requestsPerDay", "Requests per day"),
    ("requestsPerMonth", "Requests per month"),
    ("tokensPerMinute", "Tokens per minute"),
    ("tokensPerDay", "Tokens per day"),
    ("concurrentRequests", "Requests at once"),
    ("dayResetsAt", "A day begins at"),
];

/// Keys of the configuration, and the fields that they are made from.
pub(super) const FIELDS: [(&str, &str); 19] = [
    ("id", "id"),
    ("name", "name"),
    ("type", "type"),
    ("apiKey", "key"),
    ("apiKeys", "key"),
    ("apiKeyFile", "key"),
    ("baseUrl", "baseUrl"),
    ("timeout", "timeout"),
    ("requestsPerMinute", "requestsPerMinute"),
    ("requestsPerHour", "requestsPerHour"),
    ("requestsPerDay", "requestsPerDay"),
    ("requestsPerMonth", "requestsPerMonth"),
    ("tokensPerMinute", "tokensPerMinute"),
    ("tokensPerDay", "tokensPerDay"),
    ("concurrentRequests", "concurrentRequests"),
    ("dayResetsAt", "dayResetsAt"),
    ("scope", "scope"),
    ("headers", ""),
    ("models", ""),
];

/// What the form shows. The key itself is never in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Provider {
    /// Empty as long as it is not in the file.
    pub(super) saved: String,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: String,
    /// Whether the key is named by a variable of the environment.
    pub(super) by_variable: bool,
    pub(super) variable: String,
    /// The key that is in the file, masked.
    pub(super) saved_key: String,
    pub(super) base_url: String,
    pub(super) timeout: String,
    pub(super) shared: bool,
    /// In the order of [`LIMITS`].
    pub(super) limits: Vec<String>,
    /// The model to test with.
    pub(super) model: String,
    pub(super) wrongs: Vec<Wrong>,
    /// A key was typed.
    pub(super) typed: bool,
    /// It has to be typed again.
    pub(super) again: bool,
}

impl Provider {
    /// A new one, of which the preset knows something.
    pub(super) fn new(preset: &Preset, id: String) -> Self {
        let limit = |key: &str| preset.limits.iter().find(|(known, _)| *known == key).map(|(_, value)| *value);
        Self {
            id,
            name: preset.name.to_owned(),
            kind: preset.kind(),
            variable: preset.variable.unwrap_or_default().to_owned(),
            base_url: preset.base_url.unwrap_or_default().to_owned(),
            shared: limit("scope") == Some("provider"),
            limits: LIMITS.iter().map(|(key, _)| limit(key).unwrap_or_default().to_owned()).collect(),
            model: preset.models.first().copied().unwrap_or_default().to_owned(),
            ..Self::default()
        }
    }

    /// As the file has it. `key` is what it says about the key, without secrets.
    pub(super) fn of(id: &str, written: &Value, key: String) -> Self {
        let text = |name: &str| written.text(name).unwrap_or_default().to_owned();
        let limit = |name: &str| written.get("rateLimits").and_then(|limits| limits.text(name)).unwrap_or_default();
        let variable = reference(&text("apiKey")).unwrap_or_default().to_owned();
        Self {
            saved: id.to_owned(),
            id: id.to_owned(),
            name: text("name"),
            kind: text("type"),
            by_variable: !variable.is_empty(),
            variable,
            saved_key: key,
            base_url: text("baseUrl"),
            timeout: text("timeout"),
            shared: limit("scope") == "provider",
            limits: LIMITS.iter().map(|(key, _)| limit(key).to_owned()).collect(),
            ..Self::default()
        }
    }

    /// As somebody has filled it in.
    pub(super) fn filled(fields: &Fields, saved: &str, saved_key: String) -> Self {
        let text = |name: &'static str| fields.text(name).to_owned();
        Self {
            saved: saved.to_owned(),
            id: if saved.is_empty() { id_of(fields) } else { saved.to_owned() },
            name: text("name"),
            kind: text("type"),
            by_variable: fields.text("keyFrom") == "variable",
            variable: text("variable"),
            saved_key,
            base_url: text("baseUrl"),
            timeout: text("timeout"),
            shared: fields.is_on("shared"),
            limits: LIMITS.iter().map(|(key, _)| fields.text(key).to_owned()).collect(),
            model: text("model"),
            typed: !fields.text("key").is_empty(),
            ..Self::default()
        }
    }

    pub(super) fn with(self, wrongs: Vec<Wrong>) -> Self {
        Self { wrongs, ..self }
    }

    /// What the file is to say: what the form has no field for stays as it is in `written`.
    pub(super) fn value(&self, fields: &Fields, written: Option<&Value>) -> Result<Value, Vec<Wrong>> {
        let mut value = written.cloned().unwrap_or(Value::Null);
        let optional = |text: &str| if text.is_empty() { Value::Null } else { Value::from(text) };
        value.set("id", self.id.as_str().into());
        value.set("type", optional(&self.kind));
        value.set("name", optional(if self.name == self.id { "" } else { &self.name }));
        forget_keys(&mut value);
        let key = fields.text("key");
        let mut wrongs = Vec::new();
        match (self.by_variable, key) {
            (true, key) if !key.is_empty() => {
                let message = "A key is typed here, and the environment variable is chosen below: choose one of them.";
                wrongs.push(Wrong::of("key", message));
            }
            (true, _) if !is_variable(&self.variable) => {
                let message = "Name the environment variable that holds the key, such as GROQ_API_KEY.";
                wrongs.push(Wrong::of("variable", message));
            }
            (true, _) => value.set("apiKey", format!("${{{}}}", self.variable).into()),
            (false, "") if self.saved_key.is_empty() && self.needs_key() => {
                let message = "This type of provider needs one: type it here, or name the variable that holds it.";
                wrongs.push(Wrong::of("key", message));
            }
            (false, "") => {}
            // In the file a dollar sign begins the name of a variable.
            (false, key) => value.set("apiKey", key.replace("${", "$${").into()),
        }
        let url = self.base_url.trim_end_matches('/');
        value.set("baseUrl", optional(if self.is_usual(url) && written.is_none() { "" } else { url }));
        value.set("timeout", optional(&self.timeout));
        let mut limits = value.get("rateLimits").cloned().unwrap_or(Value::Null);
        for ((key, _), text) in LIMITS.iter().zip(&self.limits) {
            let digits: String = text.chars().filter(|sign| !matches!(sign, ',' | '\'' | ' ')).collect();
            let number = digits.parse::<u64>().is_ok();
            limits.set(key, optional(if number { &digits } else { text }));
        }
        let scope = match (self.shared, limits.get("scope").is_some()) {
            (true, _) => "provider".into(),
            (false, true) => "model".into(),
            (false, false) => Value::Null,
        };
        limits.set("scope", scope);
        let nothing = limits.members().is_empty();
        value.set("rateLimits", if nothing { Value::Null } else { limits });
        if wrongs.is_empty() { Ok(value) } else { Err(wrongs) }
    }

    /// Where the form goes.
    pub(super) fn address(&self) -> String {
        let (slash, id) = if self.saved.is_empty() { ("", "") } else { ("/", self.saved.as_str()) };
        format!("/ui/providers{slash}{id}")
    }

    fn needs_key(&self) -> bool {
        !matches!(self.dialect(), None | Some(Dialect::Local | Dialect::GenericOpenai))
    }

    fn is_usual(&self, url: &str) -> bool {
        self.usual_url() == url
    }

    /// Where servers of this type usually are.
    pub(super) fn usual_url(&self) -> &'static str {
        self.dialect().and_then(Dialect::default_base_url).unwrap_or_default()
    }

    pub(super) fn dialect(&self) -> Option<Dialect> {
        Dialect::ALL.into_iter().find(|dialect| dialect.word() == self.kind)
    }

    /// What is known of services of this type.
    pub(super) fn preset(&self) -> Option<&'static Preset> {
        self.dialect().and_then(Preset::of)
    }

    pub(super) fn kinds(&self) -> Vec<String> {
        Dialect::ALL.into_iter().map(Dialect::word).collect()
    }

    /// Names, labels and contents of the fields for limits.
    pub(super) fn limit_fields(&self) -> impl Iterator<Item = (&'static str, &'static str, &str)> {
        LIMITS.iter().zip(&self.limits).map(|((key, label), value)| (*key, *label, value.as_str()))
    }

    pub(super) fn has_limits(&self) -> bool {
        self.limits.iter().any(|limit| !limit.is_empty())
    }

    pub(super) fn wrong(&self, field: &str) -> Option<&str> {
        wrong_with(&self.wrongs, field)
    }
}

/// The variable that `${NAME}` names, if it is nothing but that.
fn reference(text: &str) -> Option<&str> {
    text.strip_prefix("${")?.strip_suffix('}').filter(|name| is_variable(name))
}

fn is_variable(name: &str) -> bool {
    let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    letters && !name.is_empty() && !name.starts_with(|sign: char| sign.is_ascii_digit())
}

/// The id that was given, or one that is made from the name.
fn id_of(fields: &Fields) -> String {
    match fields.text("id") {
        "" => slug(fields.text("name")),
        id => id.to_owned(),
    }
}

fn slug(name: &str) -> String {
    let mut slug = String::new();
    for sign in name.chars().map(|sign| sign.to_ascii_lowercase()) {
        match sign.is_ascii_alphanumeric() {
            true => slug.push(sign),
            false if slug.ends_with('-') || slug.is_empty() => {}
            false => slug.push('-'),
        }
    }
    slug.trim_end_matches('-').chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        let pairs: Vec<(&str, &str)> = pairs.to_vec();
        serde_json::from_value(serde_json::to_value(pairs).unwrap()).unwrap()
    }

    fn value(pairs: &[(&str, &str)], written: Option<&Value>) -> Result<String, Vec<Wrong>> {
        let fields = fields(pairs);
        let saved = written.and_then(|written| written.text("id")).unwrap_or_default();
        let form = Provider::filled(&fields, saved, String::new());
        form.value(&fields, written).map(|value| serde_json::to_string(&value).unwrap())
    }

    #[test]
    fn a_form_becomes_what_the_file_says() {
        let filled =
            [("type", "groq"), ("name", "My Groq!"), ("key", "gsk_1"), ("requestsPerDay", "1,000"), ("shared", "on")];
        assert_eq!(
            value(&filled, None).unwrap(),
            r#"{"id":"my-groq","type":"groq","name":"My Groq!","apiKey":"gsk_1","rateLimits":{"requestsPerDay":1000,"scope":"provider"}}"#
        );
        let filled = [("type", "groq"), ("id", "g"), ("keyFrom", "variable"), ("variable", "GROQ_API_KEY")];
        assert_eq!(value(&filled, None).unwrap(), r#"{"id":"g","type":"groq","apiKey":"${GROQ_API_KEY}"}"#);
        let wrong = value(&[("id", "g"), ("keyFrom", "variable"), ("variable", "a b")], None).unwrap_err();
        assert_eq!(wrong[0].field, "variable");
        let both = [("id", "g"), ("keyFrom", "variable"), ("variable", "A"), ("key", "typed")];
        assert_eq!(value(&both, None).unwrap_err()[0].field, "key", "no key is dropped");
        assert_eq!(value(&[("id", "g"), ("type", "groq")], None).unwrap_err()[0].field, "key");
    }

    #[test]
    fn what_the_form_has_no_field_for_stays() {
        let written: Value = serde_json::from_str(
            r#"{"id":"g","type":"groq","apiKeys":["a…b"],"headers":{"X-A":"***"},"rateLimits":{"tokensPerHour":5,"scope":"model","requestsPerDay":9},"enabled":false}"#,
        )
        .unwrap();
        let filled = [("type", "local"), ("requestsPerMinute", "3")];
        let expected = r#"{"id":"g","type":"local","headers":{"X-A":"***"},"rateLimits":{"tokensPerHour":5,"scope":"model","requestsPerMinute":3},"enabled":false}"#;
        assert_eq!(value(&filled, Some(&written)).unwrap(), expected);
    }

    #[test]
    fn ids_are_made_from_names() {
        for (name, id) in [("Groq", "groq"), ("Google AI Studio", "google-ai-studio"), ("  Ä – b ", "b"), ("", "")] {
            assert_eq!(slug(name), id);
        }
    }
}
