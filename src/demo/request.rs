//! A chat request as a provider reads it: typed, so that a wrong type is a 400 that says where.

use serde::Deserialize;
use serde_json::Value;

/// The fields of a chat request that change a simulated answer; others are ignored, as most providers do.
#[derive(Debug, Deserialize)]
pub(crate) struct ChatRequest {
    pub(crate) model: String,
    pub(crate) messages: Vec<Message>,
    #[serde(default)]
    pub(crate) stream: Option<bool>,
    #[serde(default)]
    stream_options: Option<StreamOptions>,
    #[serde(default)]
    max_tokens: Option<u64>,
    #[serde(default)]
    max_completion_tokens: Option<u64>,
    #[serde(default)]
    temperature: Option<f64>,
    #[serde(default)]
    tools: Option<Vec<Tool>>,
    #[serde(default)]
    tool_choice: Option<ToolChoice>,
    #[serde(default)]
    pub(crate) response_format: Option<ResponseFormat>,
}

/// One message of the conversation.
#[derive(Debug, Deserialize)]
pub(crate) struct Message {
    role: Role,
    #[serde(default)]
    content: Option<Content>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    System,
    Developer,
    User,
    Assistant,
    Tool,
    Function,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Debug, Deserialize)]
struct Part {
    #[serde(default)]
    text: String,
}

#[derive(Debug, Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Tool {
    function: Function,
}

/// A function that the model may call.
#[derive(Debug, Deserialize)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// JSON schema of its arguments.
    #[serde(default)]
    pub(crate) parameters: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum ToolChoice {
    Mode(ToolMode),
    Named { function: NamedFunction },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ToolMode {
    None,
    Auto,
    Required,
}

#[derive(Debug, Deserialize)]
struct NamedFunction {
    name: String,
}

/// What the answer must look like.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ResponseFormat {
    /// Free text.
    Text,
    /// Any JSON object.
    JsonObject,
    /// A document of this schema.
    JsonSchema { json_schema: NamedSchema },
}

/// The schema of a structured answer.
#[derive(Debug, Deserialize)]
pub(crate) struct NamedSchema {
    #[serde(default)]
    pub(crate) schema: Value,
}

impl ChatRequest {
    /// Reads and checks a body; the error is a sentence for the client.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, String> {
        let request: Self = read(body)?;
        if request.messages.is_empty() {
            return Err("'messages' : minimum number of items is 1".to_owned());
        }
        if request.temperature.is_some_and(|degree| !(0.0..=2.0).contains(&degree)) {
            return Err("'temperature' : must lie between 0 and 2".to_owned());
        }
        if request.output_cap() == Some(0) {
            return Err("'max_tokens' : must be at least 1".to_owned());
        }
        if let Some(ToolChoice::Named { function }) = &request.tool_choice
            && !request.functions().any(|known| known.name == function.name)
        {
            return Err(format!("'tool_choice' : function '{}' is not among the tools", function.name));
        }
        Ok(request)
    }

    /// Whether the answer is to be streamed.
    pub(crate) fn streams(&self) -> bool {
        self.stream == Some(true)
    }

    /// Whether the stream is to end with a usage chunk.
    pub(crate) fn wants_usage(&self) -> bool {
        self.stream_options.as_ref().is_some_and(|options| options.include_usage == Some(true))
    }

    /// The longest answer that the client takes, in tokens.
    pub(crate) fn output_cap(&self) -> Option<u64> {
        self.max_completion_tokens.or(self.max_tokens)
    }

    /// The function to call now, if one is to be called: the one that the client names, the first of those that it must
    /// have one of, else one that is offered alone. Who offers many and leaves the choice is an agent, and would run a
    /// command or write a file with arguments that are made up. A result that has just come back from a tool is answered
    /// in words, so that an agent's loop ends.
    pub(crate) fn function_to_call(&self) -> Option<&Function> {
        if self.messages.last().is_some_and(|last| matches!(last.role, Role::Tool | Role::Function)) {
            return None;
        }
        match &self.tool_choice {
            Some(ToolChoice::Mode(ToolMode::None)) => None,
            Some(ToolChoice::Named { function }) => self.functions().find(|known| known.name == function.name),
            Some(ToolChoice::Mode(ToolMode::Required)) => self.functions().next(),
            Some(ToolChoice::Mode(ToolMode::Auto)) | None => {
                self.functions().next().filter(|_| self.functions().count() == 1)
            }
        }
    }

    /// The text of the last message that was not written by the model.
    pub(crate) fn last_words(&self) -> String {
        let last = self.messages.iter().rev().find(|message| message.role != Role::Assistant);
        last.map(Message::text).unwrap_or_default()
    }

    /// About how many tokens the prompt has: four bytes each, and a few per message for its frame.
    pub(crate) fn prompt_tokens(&self) -> u64 {
        let messages: usize = self.messages.iter().map(|message| message.text().len().div_ceil(4) + 4).sum();
        let tools: usize = self.functions().map(Function::length).sum();
        u64::try_from(messages + tools.div_ceil(4)).unwrap_or(u64::MAX)
    }

    fn functions(&self) -> impl Iterator<Item = &Function> {
        self.tools.iter().flatten().map(|tool| &tool.function)
    }
}

impl Message {
    fn text(&self) -> String {
        match &self.content {
            None => String::new(),
            Some(Content::Text(text)) => text.clone(),
            Some(Content::Parts(parts)) => parts
                .iter()
                .map(|part| part.text.as_str())
                .filter(|text| !text.is_empty())
                .collect::<Vec<_>>()
                .join(" "),
        }
    }
}

impl Function {
    fn length(&self) -> usize {
        self.name.len() + self.parameters.as_ref().map_or(0, |schema| schema.to_string().len())
    }
}

/// Reads JSON into `T`; the error names the place in the document.
pub(crate) fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, String> {
    let broken = |error: &serde_json::Error| format!("invalid request body: {error}");
    let mut json = serde_json::Deserializer::from_slice(body);
    let document = serde_path_to_error::deserialize(&mut json).map_err(|error| match error.path().to_string() {
        _ if !error.inner().is_data() => broken(error.inner()),
        root if root == "." => broken(error.inner()),
        path => format!("'{path}' : {}", error.inner()),
    })?;
    json.end().map_err(|error| broken(&error))?;
    Ok(document)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(body: &Value) -> Result<ChatRequest, String> {
        ChatRequest::parse(body.to_string().as_bytes())
    }

    fn with_tools(names: &[&str], last_role: &str, choice: &Value) -> ChatRequest {
        let tools: Vec<Value> =
            names.iter().map(|name| json!({"type": "function", "function": {"name": name}})).collect();
        let messages = json!([{"role": last_role, "content": "x", "tool_call_id": "c"}]);
        parse(&json!({"model": "m", "messages": messages, "tools": tools, "tool_choice": choice})).unwrap()
    }

    #[test]
    fn a_fault_names_its_place() {
        for (body, place) in [
            (json!({"model": "m"}), "messages"),
            (json!({"model": "m", "messages": []}), "minimum number of items is 1"),
            (json!({"model": "m", "messages": "hi"}), "'messages' :"),
            (json!({"model": 5, "messages": []}), "'model' :"),
            (json!({"model": "m", "messages": [{"role": "robot"}]}), "'messages[0].role' :"),
            (json!({"model": "m", "messages": [{"role": "user", "content": 5}]}), "'messages[0].content' :"),
            (json!({"model": "m", "messages": [{"role": "user"}], "temperature": 9}), "'temperature' :"),
            (json!({"model": "m", "messages": [{"role": "user"}], "stream": "yes"}), "'stream' :"),
            (json!({"model": "m", "messages": [{"role": "user"}], "max_tokens": 0}), "'max_tokens' :"),
            (
                json!({"model": "m", "messages": [{"role": "user"}], "tool_choice": {"function": {"name": "f"}}}),
                "'tool_choice' :",
            ),
        ] {
            let fault = parse(&body).unwrap_err();
            assert!(fault.contains(place), "{body} gave: {fault}");
        }
        for broken in [&b"{"[..], b"", b"{\"model\":", b"{\"model\":\"m\",\"messages\":[]} x", b"[]"] {
            let fault = ChatRequest::parse(broken).unwrap_err();
            assert!(fault.starts_with("invalid request body"), "{fault}");
        }
    }

    #[test]
    fn text_is_read_from_strings_and_from_parts() {
        let parts = json!([{"type": "text", "text": "Grüße"}, {"type": "image_url", "image_url": {"url": "data:"}},
                           {"type": "text", "text": "👋"}]);
        let messages = json!([{"role": "user", "content": parts}, {"role": "assistant", "content": "ok"}]);
        assert_eq!(parse(&json!({"model": "m", "messages": messages})).unwrap().last_words(), "Grüße 👋");
    }

    #[test]
    fn the_function_to_call_follows_the_choice() {
        let called_of = |names: &[&str], role: &str, choice: Value| {
            with_tools(names, role, &choice).function_to_call().map(|function| function.name.clone())
        };
        let called = |role: &str, choice: Value| called_of(&["one", "two"], role, choice);
        for choice in [json!(null), json!("auto")] {
            assert_eq!(called_of(&["one"], "user", choice.clone()).as_deref(), Some("one"));
            assert_eq!(called("user", choice), None, "an agent would act on it");
        }
        assert_eq!(called("user", json!("required")).as_deref(), Some("one"));
        assert_eq!(called("user", json!({"type": "function", "function": {"name": "two"}})).as_deref(), Some("two"));
        assert_eq!(called("user", json!("none")), None);
        assert_eq!(called("tool", json!("auto")), None);
    }
}
