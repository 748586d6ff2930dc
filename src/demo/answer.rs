//! Decides what a request is answered with: words, a JSON document or a tool call.

use serde_json::{Value, json};

use super::request::{ChatRequest, ResponseFormat};
use super::schema;
use super::simulated::Simulated;
use super::text;

/// What the simulated model says.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) said: Said,
    pub(crate) finish: &'static str,
    pub(crate) usage: Usage,
}

/// The content of an answer.
#[derive(Debug, PartialEq)]
pub(crate) enum Said {
    /// Words or a document.
    Text(String),
    /// A call of one of the client's functions.
    Call { name: String, arguments: String },
}

/// What an answer took, in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) prompt: u64,
    pub(crate) completion: u64,
}

impl Answer {
    /// The answer of `simulated` to a request that has been checked.
    pub(crate) fn to(request: &ChatRequest, simulated: Simulated, model: &str) -> Self {
        let prompt = request.prompt_tokens();
        if let Some(function) = request.function_to_call() {
            let arguments = function.parameters.as_ref().map_or_else(|| json!({}), schema::fill).to_string();
            let usage = Usage { prompt, completion: text::count(&arguments) };
            return Self { said: Said::Call { name: function.name.clone(), arguments }, finish: "tool_calls", usage };
        }
        let (said, finish) = match &request.response_format {
            Some(ResponseFormat::JsonSchema { json_schema }) => (schema::fill(&json_schema.schema).to_string(), "stop"),
            Some(ResponseFormat::JsonObject) => {
                (json!({"provider": simulated.name(), "you_said": request.last_words()}).to_string(), "stop")
            }
            Some(ResponseFormat::Text) | None => {
                cut(text::reply(simulated, model, &request.last_words()), request.output_cap())
            }
        };
        let usage = Usage { prompt, completion: text::count(&said) };
        Self { said: Said::Text(said), finish, usage }
    }

    /// The answer as it trickles out of a model.
    pub(crate) fn tokens(&self) -> Vec<&str> {
        match &self.said {
            Said::Text(text) | Said::Call { arguments: text, .. } => text::tokens(text),
        }
    }
}

impl Usage {
    /// Prompt and completion together.
    pub(crate) fn total(self) -> u64 {
        self.prompt.saturating_add(self.completion)
    }

    /// As the OpenAI protocol reports it.
    pub(crate) fn to_json(self) -> Value {
        json!({"prompt_tokens": self.prompt, "completion_tokens": self.completion, "total_tokens": self.total()})
    }
}

/// `text` ended at the client's cap, and why it ends.
fn cut(text: String, cap: Option<u64>) -> (String, &'static str) {
    let cap = cap.and_then(|cap| usize::try_from(cap).ok()).unwrap_or(usize::MAX);
    let tokens = text::tokens(&text);
    match tokens.get(..cap) {
        Some(first) if first.len() < tokens.len() => (first.concat(), "length"),
        _ => (text, "stop"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(extra: &Value) -> Answer {
        let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}]});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let request = ChatRequest::parse(body.to_string().as_bytes()).unwrap();
        Answer::to(&request, Simulated::Groq, "m")
    }

    fn document(answer: &Answer) -> Value {
        match &answer.said {
            Said::Text(text) => serde_json::from_str(text).unwrap(),
            Said::Call { .. } => panic!("a call is no document"),
        }
    }

    #[test]
    fn words_are_the_default_and_end_at_the_cap() {
        let whole = answer(&json!({}));
        assert_eq!((whole.finish, whole.usage.completion), ("stop", whole.tokens().len() as u64));
        let short = answer(&json!({"max_tokens": 3}));
        assert_eq!((short.finish, short.usage.completion), ("length", 3));
        let exact = answer(&json!({"max_completion_tokens": whole.usage.completion}));
        assert_eq!(exact.finish, "stop");
    }

    #[test]
    fn a_format_gives_a_document_of_its_schema() {
        let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]});
        let format = json!({"type": "json_schema", "json_schema": {"name": "x", "schema": schema}});
        assert_eq!(document(&answer(&json!({"response_format": format}))), json!({"n": 7}));
        let free = answer(&json!({"response_format": {"type": "json_object"}}));
        assert_eq!(document(&free), json!({"provider": "Simulated Groq", "you_said": "Hi"}));
    }

    #[test]
    fn a_tool_is_called_with_arguments_of_its_schema() {
        let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
        let tools = json!([{"type": "function", "function": {"name": "weather", "parameters": schema}}]);
        let call = answer(&json!({"tools": tools}));
        let arguments = r#"{"city":"city – Beispiel"}"#.to_owned();
        assert_eq!(call.said, Said::Call { name: "weather".to_owned(), arguments });
        assert_eq!(call.finish, "tool_calls");
        assert!(matches!(answer(&json!({"tools": tools, "tool_choice": "none"})).said, Said::Text(_)));
    }
}
