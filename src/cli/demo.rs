//! `429chain demo`: the proxy in front of simulated providers.

use std::path::Path;

use actix_rt::System;

use super::Failure;
use super::args::Args;
use super::report::say;
use super::serve::{Signals, raise_open_files, run, start_log, url};
use crate::app::Proxy;
use crate::clock::Clock;
use crate::config;
use crate::config::model::Config;
use crate::config::starter::random_key;
use crate::demo::{Simulated, Simulators};
use crate::store::place::Place;
use crate::upstream::tls;

/// Fast and often out of quota first, slow and reliable last: the order in which they are tried.
const CHAIN: [Simulated; 3] = [Simulated::Groq, Simulated::Gemini, Simulated::OpenRouter];

/// Starts the simulators and a proxy in front of them, and says how to use it.
pub(super) fn demo(args: &Args) -> Result<(), Failure> {
    let client_key = random_key("sk-429-").map_err(Failure::runtime)?;
    let admin_key = random_key("ak-429-").map_err(Failure::runtime)?;
    System::new().block_on(async {
        let clock = Clock::system();
        let reading = clock.clone();
        let simulators = Simulators::start(std::sync::Arc::new(move || reading.now())).map_err(Failure::runtime)?;
        let config = configure(&simulators, &client_key, &admin_key, args)?;
        start_log(&config, args)?;
        let tls = tls::client_config(None).map_err(Failure::runtime)?;
        let admin_keys = config.settings.admin_keys.clone();
        let signals = Signals::listen().map_err(Failure::runtime)?;
        raise_open_files();
        let proxy = Proxy::start(config, admin_keys, tls, clock, Place::Memory).map_err(Failure::runtime)?;
        if let Some(address) = proxy.addresses().first() {
            say(&welcome(&url(*address), &client_key, &admin_key));
        }
        let result = run(proxy, signals).await;
        let _ = simulators.stop().await;
        result
    })
}

fn configure(simulators: &Simulators, client_key: &str, admin_key: &str, args: &Args) -> Result<Config, Failure> {
    use std::fmt::Write as _;

    let mut text =
        format!("version: 1\nsettings:\n  apiKeys: [{client_key}]\n  adminKeys: [{admin_key}]\nproviders:\n");
    let mut entries = String::new();
    for simulated in CHAIN {
        let (id, base_url) = (simulated.id(), simulators.base_url(simulated));
        let (kind, key) = (serde_json::json!(simulated.dialect()), simulated.key());
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  - {{ id: {id}, type: {kind}, apiKey: \"{key}\", baseUrl: \"{base_url}\" }}");
        for model in simulated.chat_models().iter().take(1) {
            let _ = writeln!(entries, "      - {{ provider: {id}, model: \"{model}\" }}");
        }
    }
    let text = format!("{text}chains:\n  - name: default\n    entries:\n{entries}");
    let nothing: [(&str, &str); 0] = [];
    config::parse(&text, "demo", Path::new("."), &nothing, &args.overrides()).map_err(Failure::usage)
}

fn welcome(url: &str, client_key: &str, admin_key: &str) -> String {
    format!(
        r#"429chain demo: three simulated providers, one chain.
  groq        fast, but out of quota most of the time
  gemini      fast, fails now and then
  openrouter  slow, always there

Base URL:   {url}/v1
Client key: {client_key}
Admin key:  {admin_key}
Dashboard:  {url}/ui (log in with the admin key)

Try it, several times:

curl -i {url}/v1/chat/completions -H "Authorization: Bearer {client_key}" -H "Content-Type: application/json" -d '{{"model":"default","messages":[{{"role":"user","content":"Hello"}}]}}'

Add "stream":true for a stream. What is known about each entry:

curl {url}/v1/ratelimits -H "Authorization: Bearer {client_key}"

Ctrl-C ends it."#
    )
}
