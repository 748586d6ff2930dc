//! What is to be asked, as the form has it.

use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The form.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web::ui) struct Question {
    pub(in crate::web::ui) model: String,
    pub(in crate::web::ui) message: String,
    pub(in crate::web::ui) system: String,
    pub(in crate::web::ui) temperature: String,
    pub(in crate::web::ui) max_tokens: String,
    /// More members of the request, as a JSON object.
    pub(in crate::web::ui) more: String,
    pub(in crate::web::ui) stream: Option<String>,
}

impl Question {
    /// What the form holds at first.
    pub(in crate::web::ui) fn first(model: String) -> Self {
        let (message, stream) = ("Say hello in one sentence.".to_owned(), Some("on".to_owned()));
        Self { model, message, stream, ..Self::default() }
    }

    /// Whether there is something in the part that is folded away.
    pub(in crate::web::ui) fn has_more(&self) -> bool {
        [&self.system, &self.temperature, &self.max_tokens, &self.more].iter().any(|text| !text.trim().is_empty())
    }

    /// The body of the request; or what is wrong, and where.
    pub(in crate::web::ui) fn body(&self, stream: bool) -> Result<String, String> {
        if self.message.trim().is_empty() {
            return Err("Message is empty: write what the model is to answer.".to_owned());
        }
        let mut body = Map::new();
        body.insert("model".to_owned(), json!(self.model));
        let mut messages = Vec::new();
        if !self.system.trim().is_empty() {
            messages.push(json!({ "role": "system", "content": self.system }));
        }
        messages.push(json!({ "role": "user", "content": self.message }));
        body.insert("messages".to_owned(), Value::Array(messages));
        if let Some(temperature) = number(&self.temperature, "Temperature", "a number such as 0.7")? {
            let _: f64 = temperature;
            body.insert("temperature".to_owned(), json!(temperature));
        }
        if let Some(most) = number(&self.max_tokens, "Max tokens", "a whole number such as 200")? {
            let _: u64 = most;
            body.insert("max_tokens".to_owned(), json!(most));
        }
        if stream {
            body.insert("stream".to_owned(), Value::Bool(true));
        }
        if !self.more.trim().is_empty() {
            match serde_json::from_str::<Value>(&self.more) {
                Ok(Value::Object(more)) => body.extend(more.into_iter().filter(|(name, _)| name != "stream")),
                Ok(_) => return Err("More members must be a JSON object such as {\"top_p\": 0.9}.".to_owned()),
                Err(fault) => return Err(format!("More members are no JSON object: {fault}.")),
            }
        }
        Ok(Value::Object(body).to_string())
    }

    /// The same as a command for a shell. The key is left to whoever runs it.
    pub(in crate::web::ui) fn curl(&self, address: &str) -> Result<String, String> {
        let body = self.body(self.stream.is_some())?.replace('\'', "'\\''");
        Ok(format!(
            "curl -N {address}/v1/chat/completions \\\n  -H \"Authorization: Bearer $CLIENT_KEY\" \\\n  \
             -H \"Content-Type: application/json\" \\\n  -d '{body}'"
        ))
    }
}

fn number<T: std::str::FromStr>(text: &str, name: &str, like: &str) -> Result<Option<T>, String> {
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| format!("{name} must be {like}, or empty.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_becomes_a_request() {
        let question = Question {
            system: "Be brief".to_owned(),
            temperature: "0.5".to_owned(),
            max_tokens: " 20 ".to_owned(),
            more: r#"{"top_p":0.9,"stream":false}"#.to_owned(),
            ..Question::first("default".to_owned())
        };
        let body: Value = serde_json::from_str(&question.body(true).unwrap()).unwrap();
        assert_eq!((&body["stream"], &body["temperature"], &body["top_p"]), (&json!(true), &json!(0.5), &json!(0.9)));
        assert_eq!((&body["max_tokens"], body["messages"].as_array().unwrap().len()), (&json!(20), 2));
        assert_eq!(serde_json::from_str::<Value>(&question.body(false).unwrap()).unwrap()["stream"], Value::Null);
        assert!(question.has_more() && !Question::first(String::new()).has_more());
    }

    #[test]
    fn what_is_wrong_is_said() {
        let first = || Question::first("default".to_owned());
        for (question, words) in [
            (Question { message: " ".to_owned(), ..first() }, "Message is empty"),
            (Question { temperature: "hot".to_owned(), ..first() }, "Temperature must be a number"),
            (Question { max_tokens: "-1".to_owned(), ..first() }, "Max tokens must be a whole number"),
            (Question { more: "[1]".to_owned(), ..first() }, "must be a JSON object"),
            (Question { more: "{".to_owned(), ..first() }, "no JSON object: EOF"),
        ] {
            let message = question.body(false).unwrap_err();
            assert!(message.contains(words), "{message}");
        }
    }

    #[test]
    fn a_command_survives_quotes() {
        let question = Question { message: "It's".to_owned(), ..Question::first("default".to_owned()) };
        let curl = question.curl("http://h:1").unwrap();
        assert!(curl.starts_with("curl -N http://h:1/v1/chat/completions") && curl.contains(r"It'\''s"), "{curl}");
    }
}
