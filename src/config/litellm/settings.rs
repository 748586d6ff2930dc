//! What holds for a whole file: times that have a counterpart, and everything that has none.

use super::super::edit::Value;
use super::Found;
use super::notes::NO_COUNTERPART;
use super::number::{A_DAY, AN_HOUR, millis};

/// By section: what is carried over elsewhere, or said there.
const KNOWN: [(&str, &[&str]); 3] = [
    ("general_settings", &["master_key"]),
    (
        "litellm_settings",
        &["fallbacks", "context_window_fallbacks", "default_fallbacks", "request_timeout", "cooldown_time"],
    ),
    (
        "router_settings",
        &[
            "fallbacks",
            "context_window_fallbacks",
            "default_fallbacks",
            "model_group_alias",
            "timeout",
            "stream_timeout",
            "cooldown_time",
        ],
    ),
];

/// Parts of a file that are not read. Others may be there for their anchors only.
const PARTS: [&str; 6] =
    ["guardrails", "mcp_servers", "prompts", "search_tools", "vector_store_registry", "pass_through_endpoints"];

impl Found {
    pub(super) fn settings(&mut self, file: &Value) {
        let request =
            self.time(file, &[("router_settings", "timeout"), ("litellm_settings", "request_timeout")], AN_HOUR);
        // Where LiteLLM knows no time for streams, it is the one for everything.
        let first_token = self.time(file, &[("router_settings", "stream_timeout")], AN_HOUR).or(request);
        let cooldown =
            self.time(file, &[("router_settings", "cooldown_time"), ("litellm_settings", "cooldown_time")], A_DAY);
        let ours =
            [("requestTimeoutMs", request), ("firstTokenTimeoutMs", first_token), ("cooldownDefaultMs", cooldown)];
        self.settings = ours.into_iter().filter_map(|(key, time)| Some((key, time?))).collect();
        if file.get("environment_variables").is_some() {
            self.notes.say("environment_variables", "left out: set them where 429chain is started");
        }
        if file.get("include").is_some() {
            self.notes.say("include", "left out: take over the other files one by one");
        }
        for (section, known) in KNOWN {
            for key in left(file.get(section), known) {
                self.notes.say(format!("{section}.{key}"), NO_COUNTERPART);
            }
        }
        for part in PARTS.iter().filter(|part| file.get(part).is_some_and(|value| *value != Value::Null)) {
            self.notes.say(*part, NO_COUNTERPART);
        }
    }

    /// The first of these that is given.
    fn time(&mut self, file: &Value, places: &[(&str, &str)], most: u64) -> Option<u64> {
        places.iter().find_map(|(section, key)| millis(file.get(section)?, key, section, most, &mut self.notes))
    }
}

/// Keys that have a value and are not known.
pub(super) fn left<'a>(settings: Option<&'a Value>, known: &[&str]) -> impl Iterator<Item = &'a str> {
    let members = settings.map(Value::members).unwrap_or_default();
    let is_left = |(key, value): &&(String, Value)| *value != Value::Null && !known.contains(&key.as_str());
    members.iter().filter(is_left).map(|(key, _)| key.as_str()).collect::<Vec<_>>().into_iter()
}
