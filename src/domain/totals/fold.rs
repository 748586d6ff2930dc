//! What one request adds to which sums.

use std::borrow::Cow;

use super::Totals;
use crate::domain::ids::{ModelId, ProviderId};
use crate::domain::outcome::Reason;
use crate::domain::usage::Usage;

/// Whose sums they are. Names are those of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope<'a> {
    /// Everybody's.
    All,
    /// A chain's, by the label of the route.
    Chain(&'a str),
    /// A provider's, by its id.
    Provider(&'a str),
    /// An entry's, by the provider's id and the model.
    Entry(&'a str, &'a str),
    /// Those of a client's key, by its label.
    Client(&'a str),
    /// What an entry has done within a chain: the label of the route, the provider's id, and the model.
    ChainEntry(&'a str, &'a str, &'a str),
}

/// What a row says that sums are made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts<'a> {
    /// Arrival, in milliseconds since the Unix epoch.
    pub arrived: u64,
    /// Label of the route; empty when the request selected none.
    pub chain: Cow<'a, str>,
    /// Label of the client's key; empty when nobody knows it.
    pub client: Cow<'a, str>,
    /// Machine code of the error, if there was one.
    pub code: Option<Cow<'static, str>>,
    /// What it has cost.
    pub usage: Option<Usage>,
    /// How long it waited for quota.
    pub waited_ms: u64,
    /// From the request to the first content of a stream.
    pub first_token_ms: Option<u64>,
    /// From the request to the end.
    pub ms: u64,
    /// Entries that were called, in order.
    pub calls: Vec<Call>,
    /// Another entry than the first of its chain served it.
    pub passed_on: bool,
}

/// One upstream call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Id of the provider.
    pub provider: ProviderId,
    /// Name of the model there.
    pub model: ModelId,
    /// Why it did not serve; `None` when it did.
    pub failed: Option<Reason>,
    /// How long it took; of a stream that was served until its head.
    pub ms: u64,
}

/// Adds one request to every sum that it is part of. `add` gets each of them once or several times.
pub fn fold<'a>(facts: &'a Facts<'_>, mut add: impl FnMut(Scope<'a>, &Totals)) {
    let served = facts.calls.iter().any(|call| call.failed.is_none());
    let mut whole =
        Totals { requests: 1, attempts: facts.calls.len() as u64, last: facts.arrived, ..Totals::default() };
    whole.waterfalled = u64::from(served && facts.passed_on);
    if let Some(code) = &facts.code {
        whole.fail(code.clone());
    }
    if let Some(usage) = &facts.usage {
        whole.spend(usage);
    }
    if served {
        whole.latency.note(facts.ms);
        whole.busy_ms = if facts.usage.is_some() { facts.ms } else { 0 };
        facts.first_token_ms.into_iter().for_each(|ms| whole.first_token.note(ms));
    }
    for call in &facts.calls {
        let totals = of_call(call, facts);
        let (provider, model) = (call.provider.as_str(), call.model.as_str());
        add(Scope::Provider(provider), &totals);
        if !facts.chain.is_empty() {
            add(Scope::ChainEntry(&facts.chain, provider, model), &totals);
        }
        add(Scope::Entry(provider, model), &totals);
    }
    if !facts.chain.is_empty() {
        add(Scope::Chain(&facts.chain), &whole);
    }
    if !facts.client.is_empty() {
        add(Scope::Client(&facts.client), &whole);
    }
    add(Scope::All, &whole);
}

fn of_call(call: &Call, facts: &Facts<'_>) -> Totals {
    let mut totals = Totals { attempts: 1, last: facts.arrived, ..Totals::default() };
    if let Some(reason) = call.failed {
        totals.waterfalled = 1;
        totals.fail(reason.name().into());
        return totals;
    }
    totals.requests = 1;
    // A stream that broke off was begun here; a client that left is nobody's failure.
    if facts.code.as_deref() == Some("stream_interrupted") {
        totals.fail("stream_interrupted".into());
    }
    if let Some(usage) = &facts.usage {
        totals.spend(usage);
    }
    // What went before is not its doing.
    let others: u64 = facts.calls.iter().filter(|call| call.failed.is_some()).map(|call| call.ms).sum();
    let before = facts.waited_ms.saturating_add(others);
    let own = facts.ms.saturating_sub(before);
    totals.busy_ms = if facts.usage.is_some() { own } else { 0 };
    totals.latency.note(own);
    facts.first_token_ms.into_iter().for_each(|ms| totals.first_token.note(ms.saturating_sub(before)));
    totals
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn call(provider: &'static str, failed: Option<Reason>, ms: u64) -> Call {
        Call { provider: ProviderId::new(provider), model: ModelId::new("m"), failed, ms }
    }

    fn sums<'a>(facts: &'a Facts<'_>) -> BTreeMap<Scope<'a>, Totals> {
        let mut sums: BTreeMap<Scope<'a>, Totals> = BTreeMap::new();
        fold(facts, |scope, totals| sums.entry(scope).or_default().add(totals));
        sums
    }

    #[test]
    fn a_request_counts_once_for_itself_and_each_call_for_its_entry() {
        let usage = Usage { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12, ..Usage::default() };
        let facts = Facts {
            arrived: 1_000,
            chain: "default".into(),
            client: "laptop".into(),
            usage: Some(usage),
            waited_ms: 100,
            first_token_ms: Some(700),
            ms: 1_300,
            calls: vec![call("a", Some(Reason::RateLimit), 200), call("b", None, 300)],
            passed_on: true,
            ..Facts::default()
        };
        let sums = sums(&facts);
        let names: Vec<&Scope<'_>> = sums.keys().collect();
        assert_eq!(names.len(), 9, "{names:?}");
        let whole = &sums[&Scope::All];
        assert_eq!((whole.requests, whole.attempts, whole.waterfalled, whole.total_tokens), (1, 2, 1, 12));
        assert_eq!(whole, &sums[&Scope::Chain("default")]);
        assert_eq!(whole, &sums[&Scope::Client("laptop")]);
        let failed = &sums[&Scope::Entry("a", "m")];
        assert_eq!((failed.requests, failed.attempts, failed.waterfalled), (0, 1, 1));
        assert_eq!(failed.failures, BTreeMap::from([("rate_limit".into(), 1)]));
        for provider in ["a", "b"] {
            let within = &sums[&Scope::ChainEntry("default", provider, "m")];
            assert_eq!(within, &sums[&Scope::Provider(provider)], "{provider} has done nothing elsewhere");
        }
        let served = &sums[&Scope::Provider("b")];
        assert_eq!((served.requests, served.total_tokens, served.failed()), (1, 12, 0));
        let own = served.latency.quantile(0.5).unwrap();
        assert!((920..=1_090).contains(&own), "without the wait and the other call: {own}");
    }

    #[test]
    fn what_nobody_served_has_a_class_and_no_time() {
        let code = Some("all_providers_exhausted".into());
        let facts = Facts { ms: 5, code, ..Facts::default() };
        let sums = sums(&facts);
        assert_eq!(sums.len(), 1);
        let whole = &sums[&Scope::All];
        assert_eq!((whole.requests, whole.failed(), whole.latency.count()), (1, 1, 0));
    }

    #[test]
    fn a_broken_stream_is_a_failure_of_whoever_began_it() {
        let code = Some("stream_interrupted".into());
        let facts = Facts { code, calls: vec![call("a", None, 5)], ..Facts::default() };
        let sums = sums(&facts);
        let entry = &sums[&Scope::Entry("a", "m")];
        assert_eq!((entry.requests, entry.failed()), (1, 1));
        let left = Facts { code: Some("client_closed".into()), calls: vec![call("a", None, 5)], ..Facts::default() };
        assert_eq!(self::sums(&left)[&Scope::Entry("a", "m")].failed(), 0);
    }
}
