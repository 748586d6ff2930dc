//! Asks the proxy for what people look at.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use chain429::app::Proxy;
use chain429::clock::Clock;
use chain429::config::{self, Overrides};
use chain429::store::place::Place;
use chain429::upstream::tls;
use serde_json::Value;

use crate::Result;
use crate::fill::Filled;
use crate::options::Options;
use crate::report::{Report, Times};

const KEY: &str = "sk-429-log-0123456789abcdef";

/// Nobody is called: only the log is asked for.
const CONFIG: &str = "version: 1
settings: { port: 0, apiKeys: [sk-429-log-0123456789abcdef], logLevel: error, retentionDays: 31 }
providers: [{ id: nobody, type: generic-openai, apiKey: key, baseUrl: 'http://127.0.0.1:9/v1' }]
chains: [{ name: default, entries: [{ provider: nobody, model: m }] }]
";

/// The path of a question, other ones for other counts where that matters.
type Question<'a> = Box<dyn Fn(usize) -> String + 'a>;

/// Starts the proxy on the file and asks everything.
pub(crate) async fn all(path: &Path, options: &Options, filled: &Filled, report: &mut Report) -> Result<()> {
    let config = config::parse(CONFIG, "log.yaml", Path::new("."), &BTreeMap::new(), &Overrides::default())
        .map_err(|errors| errors.to_string())?;
    let tls = tls::client_config(None)?;
    let proxy = Proxy::start(config, Vec::new(), tls, Clock::system(), Place::File(path.to_owned()))?;
    let address = proxy.addresses().first().ok_or("it does not listen")?;
    let asker = Asker { url: format!("http://{address}/v1/stats"), client: awc::Client::default() };

    let whole = asker.ask("/summary?range=30d").await?;
    let counted = whole.get("totalRequests").and_then(Value::as_u64).unwrap_or_default();
    // Those of the very first minute may lie before the range.
    if counted > options.rows || counted * 100 < options.rows * 99 {
        return Err(format!("the summary counts {counted} of {} requests", options.rows).into());
    }
    let id = |count: usize| filled.ids.get(count * 7_919 % filled.ids.len().max(1)).cloned().unwrap_or_default();
    let middle = |count: usize| {
        let part = filled.ids.len() / 4;
        filled.ids.get(part + count * 7_919 % (part * 2).max(1)).cloned().unwrap_or_default()
    };
    let questions: [(&str, Question<'_>); 12] = [
        ("the newest 50 rows", Box::new(|_| "/requests".to_owned())),
        ("500 rows in the middle", Box::new(move |count| format!("/requests?limit=500&before={}", middle(count)))),
        ("50 rows of one provider in twelve", Box::new(|_| "/requests?provider=mistral".to_owned())),
        (
            "50 rows with a code that never occurs",
            Box::new(move |count| format!("/requests?code=queue_full&before={}", middle(count))),
        ),
        ("one row by its id", Box::new(move |count| format!("/requests/{}", id(count)))),
        ("summary of 1 h", Box::new(|_| "/summary?range=1h".to_owned())),
        ("summary of 24 h", Box::new(|_| "/summary?range=24h".to_owned())),
        ("summary of 7 days", Box::new(|_| "/summary?range=7d".to_owned())),
        ("summary of 30 days", Box::new(|_| "/summary?range=30d".to_owned())),
        ("providers, 30 days", Box::new(|_| "/providers?range=30d".to_owned())),
        ("entries, 30 days", Box::new(|_| "/entries?range=30d".to_owned())),
        ("chains, 30 days", Box::new(|_| "/chains?range=30d".to_owned())),
    ];
    for (what, path) in questions {
        let mut waits = Vec::with_capacity(options.times);
        for count in 0..options.times {
            let path = path(count);
            let asked = Instant::now();
            asker.ask(&path).await?;
            waits.push(asked.elapsed());
        }
        report.asked(what, &Times::of(waits));
    }
    proxy.stop(Duration::from_secs(5)).await;
    Ok(())
}

struct Asker {
    url: String,
    client: awc::Client,
}

impl Asker {
    async fn ask(&self, path: &str) -> Result<Value> {
        let request = self.client.get(format!("{}{path}", self.url)).bearer_auth(KEY);
        let mut answer = request.send().await.map_err(|fault| format!("{path}: {fault}"))?;
        let body = answer.body().limit(16 << 20).await.map_err(|fault| format!("{path}: {fault}"))?;
        match answer.status().as_u16() {
            200 if path.ends_with("30d") => Ok(serde_json::from_slice(&body)?),
            200 => Ok(Value::Null),
            status => Err(format!("{path}: {status} {}", String::from_utf8_lossy(&body)).into()),
        }
    }
}
