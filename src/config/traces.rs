//! Traces, as OpenTelemetry's standard environment variables ask for them.
//!
//! Source: OpenTelemetry specification, "Environment Variable Specification" and "OTLP Exporter". An empty variable counts
//! as one that is not set.

use std::str::FromStr;
use std::time::Duration;

use actix_http::Uri;
use actix_http::header::{HeaderName, HeaderValue};

use super::environment::Environment;
use super::error::Problem;
use super::model::Secret;
use super::path::YamlPath;
use crate::domain::trace::Sampler;

/// Spans in memory, at most: some 500 MB.
const MOST_SPANS: u64 = 1 << 20;

/// A day in milliseconds.
const LONGEST: u64 = 86_400_000;

/// Where spans go, which ones, and in what portions.
#[derive(Clone, Debug, PartialEq)]
pub struct Traces {
    /// The full address of the collector.
    pub endpoint: String,
    /// Sent with every export. Values may hold secrets.
    pub headers: Vec<(String, Secret)>,
    /// How spans are written.
    pub encoding: Encoding,
    /// For one export.
    pub timeout: Duration,
    /// Says who we are.
    pub resource: Vec<(String, String)>,
    /// Which traces are recorded.
    pub sampler: Sampler,
    /// Whether the trace context of clients is taken over and passed on to providers.
    pub propagates: bool,
    /// Spans that wait.
    pub queue: usize,
    /// Spans in one export, at most.
    pub batch: usize,
    /// Between two exports of batches that are not full.
    pub delay: Duration,
    /// For all tries of one batch.
    pub patience: Duration,
}

/// How spans are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// `http/protobuf`
    Protobuf,
    /// `http/json`
    Json,
}

/// What is asked for, and a sentence for each variable that has no effect. `None`: nothing is traced.
///
/// # Errors
/// All values that are wrong. None while nothing asks for traces: the variables may be meant for somebody else.
pub(super) fn read(environment: &dyn Environment) -> Result<(Option<Traces>, Vec<String>), Vec<Problem>> {
    let mut variables = Variables { environment, wrong: Vec::new() };
    let Some((name, endpoint)) = variables.either("ENDPOINT") else { return Ok((None, Vec::new())) };
    let disabled = variables.choice("OTEL_SDK_DISABLED", &[("false", false), ("true", true)]);
    let exporter = variables.choice("OTEL_TRACES_EXPORTER", &[("otlp", true), ("none", false)]);
    if disabled == Some(true) || exporter == Some(false) {
        return Ok((None, Vec::new()));
    }
    let queue = variables.number("OTEL_BSP_MAX_QUEUE_SIZE", 2_048, MOST_SPANS);
    let most = variables.number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512, MOST_SPANS);
    let timeout = variables.either("TIMEOUT").map_or_else(|| "OTEL_EXPORTER_OTLP_TIMEOUT".to_owned(), |(name, _)| name);
    let traces = Traces {
        endpoint: variables.address(&name, &endpoint),
        headers: variables.headers(),
        encoding: variables.encoding(),
        timeout: Duration::from_millis(variables.number(&timeout, 10_000, LONGEST)),
        resource: variables.resource(),
        sampler: variables.sampler(),
        propagates: variables.propagates(),
        queue: usize::try_from(queue).unwrap_or(usize::MAX),
        batch: usize::try_from(most.min(queue)).unwrap_or(usize::MAX),
        delay: Duration::from_millis(variables.number("OTEL_BSP_SCHEDULE_DELAY", 5_000, LONGEST)),
        patience: Duration::from_millis(variables.number("OTEL_BSP_EXPORT_TIMEOUT", 30_000, LONGEST)),
    };
    let notices = variables.without_effect();
    if variables.wrong.is_empty() { Ok((Some(traces), notices)) } else { Err(variables.wrong) }
}

struct Variables<'a> {
    environment: &'a dyn Environment,
    wrong: Vec<Problem>,
}

impl Variables<'_> {
    fn get(&self, name: &str) -> Option<String> {
        self.environment.get(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// The variable for traces, else the one for everything: its name and its value.
    fn either(&self, what: &str) -> Option<(String, String)> {
        let names = [format!("OTEL_EXPORTER_OTLP_TRACES_{what}"), format!("OTEL_EXPORTER_OTLP_{what}")];
        names.into_iter().find_map(|name| self.get(&name).map(|value| (name, value)))
    }

    fn wrong(&mut self, message: String, help: impl Into<String>) {
        self.wrong.push(Problem::new(YamlPath::root(), None, message).with_help(help));
    }

    /// One of these values; `None` when it is not set, or something else.
    fn choice<T: Copy>(&mut self, name: &str, known: &[(&str, T)]) -> Option<T> {
        let value = self.get(name)?;
        let found = known.iter().find(|(word, _)| word.eq_ignore_ascii_case(&value)).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            self.wrong(format!("{name}={value} is not supported"), format!("use {}", words.join(" or ")));
        }
        found
    }

    fn number(&mut self, name: &str, default: u64, most: u64) -> u64 {
        let Some(value) = self.get(name) else { return default };
        match value.parse() {
            Ok(number) if (1..=most).contains(&number) => number,
            _ => {
                self.wrong(format!("{name}={value} is wrong"), format!("it is a whole number from 1 to {most}"));
                default
            }
        }
    }

    /// The variable for everything names the root of the collector, that for traces the very address.
    fn address(&mut self, name: &str, value: &str) -> String {
        let uri = Uri::from_str(value).ok();
        let scheme = uri.as_ref().and_then(Uri::scheme_str);
        let authority = uri.as_ref().and_then(Uri::authority);
        let named = authority.is_some_and(|it| !it.host().is_empty() && !it.as_str().contains('@'));
        let whole = name == "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
        let query = !whole && uri.as_ref().is_some_and(|uri| uri.query().is_some());
        if !matches!(scheme, Some("http" | "https")) || !named || query {
            // The value is not shown: there may be a password in it.
            let message = format!("{name} is no address that spans can be sent to");
            self.wrong(message, "it is like http://localhost:4318; keys belong into OTEL_EXPORTER_OTLP_HEADERS");
        }
        if whole { value.to_owned() } else { format!("{}/v1/traces", value.trim_end_matches('/')) }
    }

    fn encoding(&mut self) -> Encoding {
        let known = [("http/protobuf", Encoding::Protobuf), ("http/json", Encoding::Json)];
        let name = self.either("PROTOCOL").map(|(name, _)| name);
        name.and_then(|name| self.choice(&name, &known)).unwrap_or(Encoding::Protobuf)
    }

    fn headers(&mut self) -> Vec<(String, Secret)> {
        let Some((name, value)) = self.either("HEADERS") else { return Vec::new() };
        let sendable = |(name, value): (String, String)| {
            HeaderName::from_str(&name).ok()?;
            HeaderValue::from_str(&value).ok()?;
            Some((name, Secret::new(value)))
        };
        let headers = pairs(&value).and_then(|pairs| pairs.into_iter().map(sendable).collect());
        headers.unwrap_or_else(|| {
            // The value is not shown: it is where keys stand.
            self.wrong(format!("{name} cannot be sent"), "it is like name=value,other=value; %20 stands for a space");
            Vec::new()
        })
    }

    fn resource(&mut self) -> Vec<(String, String)> {
        let mut resource = vec![
            ("service.name".to_owned(), "429chain".to_owned()),
            ("service.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ];
        let name = "OTEL_RESOURCE_ATTRIBUTES";
        let more = self.get(name).map(|value| pairs(&value));
        if let Some(None) = more {
            self.wrong(format!("{name} is wrong"), "it is like name=value,other=value; %2C stands for a comma");
        }
        let service = self.get("OTEL_SERVICE_NAME").map(|service| ("service.name".to_owned(), service));
        for (key, value) in more.flatten().unwrap_or_default().into_iter().chain(service) {
            resource.retain(|(known, _)| *known != key);
            resource.push((key, value));
        }
        resource
    }

    fn sampler(&mut self) -> Sampler {
        let (every, none) = (Some(Sampler::ALL), Some(0));
        let known = [
            ("parentbased_always_on", (true, every)),
            ("parentbased_always_off", (true, none)),
            ("parentbased_traceidratio", (true, None)),
            ("always_on", (false, every)),
            ("always_off", (false, none)),
            ("traceidratio", (false, None)),
        ];
        let (heeds_parent, share) = self.choice("OTEL_TRACES_SAMPLER", &known).unwrap_or((true, every));
        Sampler { heeds_parent, share: share.unwrap_or_else(|| self.ratio()) }
    }

    fn ratio(&mut self) -> u64 {
        let name = "OTEL_TRACES_SAMPLER_ARG";
        let Some(value) = self.get(name) else { return Sampler::ALL };
        match value.parse::<f64>() {
            Ok(ratio) if (0.0..=1.0).contains(&ratio) => (ratio * Sampler::ALL as f64) as u64,
            _ => {
                self.wrong(format!("{name}={value} is wrong"), "it is the share of all traces, from 0 to 1");
                0
            }
        }
    }

    fn propagates(&mut self) -> bool {
        let name = "OTEL_PROPAGATORS";
        let Some(value) = self.get(name) else { return true };
        let mut words = value.split(',').map(str::trim);
        let found = words.clone().any(|word| word == "tracecontext");
        if !found && !words.all(|word| matches!(word, "none" | "baggage")) {
            self.wrong(format!("{name}={value} is not supported"), "use tracecontext or none");
        }
        found
    }

    /// What others understand and we do not.
    fn without_effect(&self) -> Vec<String> {
        let unused = [
            ("COMPRESSION", "spans are sent as they are"),
            ("CERTIFICATE", "SSL_CERT_FILE names further root certificates"),
            ("CLIENT_CERTIFICATE", "a collector that asks for one cannot be used"),
            ("CLIENT_KEY", "a collector that asks for one cannot be used"),
        ];
        let found = unused.iter().filter_map(|(what, instead)| {
            let (name, value) = self.either(what)?;
            (value != "none").then(|| format!("{name} has no effect: {instead}"))
        });
        found.collect()
    }
}

/// `name=value,other=value` with escapes of two hexadecimal digits.
fn pairs(list: &str) -> Option<Vec<(String, String)>> {
    let pair = |item: &str| {
        let (name, value) = item.split_once('=')?;
        let name = unescape(name.trim())?;
        (!name.is_empty()).then_some((name, unescape(value.trim())?))
    };
    list.split(',').map(str::trim).filter(|item| !item.is_empty()).map(pair).collect()
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            _ => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests;
