//! One answer of `/metrics`, read.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::app::{App, Reply};

/// The samples, by name and labels as they are written.
pub struct Scrape {
    pub text: String,
    samples: Vec<Sample>,
}

struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Scrape {
    pub async fn of(app: &App) -> Self {
        Self::read(&app.get("/metrics").await)
    }

    /// What stands there once `count` requests have ended and none is under way.
    pub async fn after(app: &App, count: u64) -> Self {
        let settled = async {
            loop {
                let scrape = Self::of(app).await;
                let ended = scrape.sum("chain429_requests_total", &[]);
                if ended >= count as f64 && scrape.value("chain429_in_flight_requests", &[]) == 0.0 {
                    return scrape;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), settled).await.expect("requests should have ended")
    }

    pub fn read(reply: &Reply) -> Self {
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
        let text = reply.text();
        let samples: Vec<Sample> = text.lines().filter(|line| !line.starts_with('#')).map(sample).collect();
        let mut seen = BTreeSet::new();
        for sample in &samples {
            assert!(seen.insert((&sample.name, &sample.labels)), "{} {:?} is there twice", sample.name, sample.labels);
        }
        Self { samples, text }
    }

    /// Names of all samples.
    pub fn names(&self) -> BTreeSet<&str> {
        self.samples.iter().map(|sample| sample.name.as_str()).collect()
    }

    /// Names of all labels of samples of this name.
    pub fn labels(&self, name: &str) -> BTreeSet<&str> {
        let samples = self.samples.iter().filter(|sample| sample.name == name);
        samples.flat_map(|sample| sample.labels.keys().map(String::as_str)).collect()
    }

    /// The only sample of this name with exactly these labels, in any order.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let wanted: BTreeMap<String, String> =
            labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let found = self.samples.iter().find(|sample| sample.name == name && sample.labels == wanted);
        found.unwrap_or_else(|| panic!("no {name} {labels:?} in {}", self.text)).value
    }

    /// The sum of all samples of this name that have these labels among others.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let has = |sample: &&Sample| {
            sample.name == name
                && labels.iter().all(|(key, value)| sample.labels.get(*key).is_some_and(|is| is == value))
        };
        self.samples.iter().filter(has).map(|sample| sample.value).sum()
    }
}

/// `name{key="value",...} 1.5`
fn sample(line: &str) -> Sample {
    let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line}"));
    let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
    let mut rest = labels.strip_suffix('}').unwrap_or_else(|| panic!("no labels: {line}"));
    let mut found = BTreeMap::new();
    while let Some((key, more)) = rest.split_once("=\"") {
        let (value, more) = more.split_once('"').unwrap_or_else(|| panic!("no value: {line}"));
        assert!(found.insert(key.trim_start_matches(',').to_owned(), value.to_owned()).is_none(), "{line}");
        rest = more;
    }
    assert_eq!(rest, "", "{line}");
    let value = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
    Sample { name: name.to_owned(), labels: found, value }
}
