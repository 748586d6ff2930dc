//! What a provider says that it has: `GET {baseUrl}/models`. Costs no quota that anybody counts, so no ledger is asked.

use std::time::Duration;

use serde::Deserialize;
use tokio::time::{Instant, timeout};

use super::body::collect;
use super::error::CallError;
use super::waterfall::Worker;
use crate::config::model::Provider;

/// More than the longest list there is by far.
const MOST_BYTES: usize = 4 << 20;

/// Ids of a list that are kept, and the length of one.
const MOST_MODELS: usize = 5_000;
const LONGEST_ID: usize = 256;

/// Lists take no work.
const PATIENCE: Duration = Duration::from_secs(10);

/// How it went.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Ids in the order of the provider, or why there are none. For people; no body and no key is in it.
    pub models: Result<Vec<String>, String>,
    /// How long it took.
    pub took: Duration,
}

impl Worker {
    /// Asks for the list with the provider's first key.
    pub async fn list_models(&self, provider: &Provider) -> Listed {
        let began = Instant::now();
        let models = match timeout(PATIENCE, self.ask_for_list(provider)).await {
            Ok(models) => models,
            Err(_) => Err(CallError::Timeout { what: "answer", limit: PATIENCE }.to_string()),
        };
        Listed { models, took: began.elapsed() }
    }

    async fn ask_for_list(&self, provider: &Provider) -> Result<Vec<String>, String> {
        let clients = self.clients();
        let request = clients.get(provider, "/models").map_err(|fault| fault.to_string())?;
        let mut response = request.send().await.map_err(|fault| CallError::from(fault).to_string())?;
        let status = response.status().as_u16();
        let body = collect(&mut response, None, MOST_BYTES).await.map_err(|fault| match fault {
            CallError::TooLarge(most) => format!("the list is larger than {most} bytes"),
            other => other.to_string(),
        })?;
        match status {
            200..=299 => read(&body).ok_or_else(|| "what it answers is no list of models".to_owned()),
            401 | 403 => Err(format!("the key was rejected ({status})")),
            404 | 405 => Err(format!("it has no list of models ({status})")),
            429 => Err("too many requests (429)".to_owned()),
            _ => Err(format!("it answered {status}")),
        }
    }
}

/// `{"data":[{"id":..}]}` as the OpenAI API has it, the same under `models`, or the bare list.
#[derive(Deserialize)]
#[serde(untagged)]
enum List {
    Data { data: Vec<Item> },
    Models { models: Vec<Item> },
    Bare(Vec<Item>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Item {
    Id { id: String },
    Name { name: String },
    Bare(String),
    Other(serde::de::IgnoredAny),
}

fn read(body: &[u8]) -> Option<Vec<String>> {
    let items = match serde_json::from_slice(body).ok()? {
        List::Data { data: items } | List::Models { models: items } | List::Bare(items) => items,
    };
    let ids = items.into_iter().filter_map(|item| match item {
        Item::Id { id: text } | Item::Name { name: text } | Item::Bare(text) => Some(text),
        Item::Other(_) => None,
    });
    // Google writes the ids that it takes with a prefix that it does not need.
    let ids = ids.map(|id| id.strip_prefix("models/").map_or_else(|| id.clone(), str::to_owned));
    let fits = |id: &String| (1..=LONGEST_ID).contains(&id.len()) && !id.contains(char::is_control);
    Some(ids.filter(fits).take(MOST_MODELS).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_in_all_their_forms() {
        for (body, ids) in [
            (r#"{"object":"list","data":[{"id":"a","object":"model"},{"id":"b/c:free"}]}"#, &["a", "b/c:free"][..]),
            (r#"{"models":[{"name":"models/gemini-x"}]}"#, &["gemini-x"]),
            (r#"[{"id":"a"},"b",7]"#, &["a", "b"]),
            (r#"{"data":[{"id":""},{"id":"a\nb"}]}"#, &[]),
        ] {
            assert_eq!(read(body.as_bytes()).unwrap(), ids, "{body}");
        }
        for body in ["", "<html>", r#"{"error":{"message":"no"}}"#, "7"] {
            assert_eq!(read(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn an_endless_list_is_cut() {
        let body = serde_json::json!({ "data": vec![serde_json::json!({ "id": "a" }); MOST_MODELS + 1] }).to_string();
        assert_eq!(read(body.as_bytes()).unwrap().len(), MOST_MODELS);
        let body = serde_json::json!([{ "id": "a".repeat(LONGEST_ID + 1) }]).to_string();
        assert!(read(body.as_bytes()).unwrap().is_empty());
    }
}
