//! What somebody looks at: a range of time, and which requests.

use super::stage::Stage;
use crate::web::error::ApiError;
use crate::web::query::Query;
use crate::web::stats::log::{Filter, Outcome};
use crate::web::ui::door::form_encoded;
use crate::web::ui::standing::Status;

const KNOWN: [&str; 10] = ["range", "show", "chain", "provider", "outcome", "q", "before", "after", "page", "stage"];

/// A span of time until now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::web::ui) enum Range {
    Hour,
    #[default]
    Day,
    Week,
    Month,
}

impl Range {
    pub(in crate::web::ui) const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Week, Self::Month];

    pub(in crate::web::ui) fn name(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    /// For people.
    pub(in crate::web::ui) fn words(self) -> &'static str {
        match self {
            Self::Hour => "last hour",
            Self::Day => "last 24 h",
            Self::Week => "last 7 days",
            Self::Month => "last 30 days",
        }
    }
}

/// The whole of it; what the URL says.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::web::ui) struct View {
    pub(in crate::web::ui) range: Range,
    /// Which entries are shown among the limits; `None` is all of them.
    pub(in crate::web::ui) show: Option<Status>,
    pub(in crate::web::ui) filter: Filter,
    /// Requests before this one, in place of the newest.
    pub(in crate::web::ui) before: Option<String>,
    /// The newest request that is known already.
    pub(in crate::web::ui) after: Option<String>,
    /// What the page was made for.
    pub(in crate::web::ui) stage: Stage,
}

impl View {
    /// Reads the query of a URL.
    pub(in crate::web::ui) fn of(query: &str) -> Result<Self, ApiError> {
        let query = Query::parse(query, &KNOWN)?;
        let range = match query.text("range") {
            None => Range::default(),
            Some(text) => Range::ALL.into_iter().find(|range| range.name() == text).ok_or_else(|| ApiError::Query {
                param: "range",
                message: "`range` must be 1h, 24h, 7d or 30d".to_owned(),
            })?,
        };
        let show = match query.text("show") {
            None | Some("") => None,
            Some(text) => {
                let found = Status::ALL.into_iter().find(|status| status.class() == text);
                Some(found.ok_or_else(|| ApiError::Query {
                    param: "show",
                    message: "`show` must be cooling, low, auth, ready, untried or off".to_owned(),
                })?)
            }
        };
        let id = |name| query.text(name).map(str::to_owned);
        let stage = query.text("stage").and_then(Stage::named).unwrap_or_default();
        Ok(Self { range, show, filter: Filter::of(&query)?, before: id("before"), after: id("after"), stage })
    }

    /// As a query, without a place in the log: begins with `?`, or is empty.
    pub(in crate::web::ui) fn query(&self) -> String {
        self.with(Some(self.range), &self.filter)
    }

    /// The same over another range.
    pub(in crate::web::ui) fn over(&self, range: &Range) -> String {
        self.with(Some(*range), &self.filter)
    }

    /// The same with all requests.
    pub(in crate::web::ui) fn unfiltered(&self) -> String {
        self.with(Some(self.range), &Filter::default())
    }

    /// The filter alone, for a file.
    pub(in crate::web::ui) fn filter_query(&self) -> String {
        self.with(None, &self.filter).trim_start_matches('?').to_owned()
    }

    /// Without a range it is about requests alone.
    fn with(&self, range: Option<Range>, filter: &Filter) -> String {
        let Filter { chain, provider, text, .. } = filter;
        let show = self.show.filter(|_| range.is_some()).map(Status::class);
        let range = range.filter(|range| *range != Range::default()).map(Range::name);
        let pairs = [
            ("range", range),
            ("show", show),
            ("chain", chain.as_deref()),
            ("provider", provider.as_deref()),
            ("outcome", outcome(filter)),
            ("q", text.as_deref()),
        ];
        let pairs = pairs.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", form_encoded(value?))));
        let query = pairs.collect::<Vec<_>>().join("&");
        if query.is_empty() { query } else { format!("?{query}") }
    }

    /// Where news of it come from.
    pub(in crate::web::ui) fn live(&self, newest: &str) -> String {
        let query = self.query();
        let query = query.trim_start_matches('?');
        let lead = if query.is_empty() { "" } else { "&" };
        // Of old requests there is no news.
        let place = match &self.before {
            Some(_) => "&before=old".to_owned(),
            None => format!("&after={}", form_encoded(newest)),
        };
        let stage = match self.stage {
            Stage::Running => String::new(),
            stage => format!("&stage={}", stage.name()),
        };
        format!("/ui/live?page=dashboard{lead}{query}{place}{stage}")
    }

    /// What can be shown among the limits.
    pub(in crate::web::ui) fn shows(&self) -> [Status; 6] {
        Status::ALL
    }

    /// What the filter asks for, for a form that is about something else.
    pub(in crate::web::ui) fn kept(&self) -> Vec<(&'static str, &str)> {
        let Filter { chain, provider, text, .. } = &self.filter;
        let pairs = [
            ("chain", chain.as_deref()),
            ("provider", provider.as_deref()),
            ("outcome", outcome(&self.filter)),
            ("q", text.as_deref()),
        ];
        pairs.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    pub(in crate::web::ui) fn ranges(&self) -> [Range; 4] {
        Range::ALL
    }

    pub(in crate::web::ui) fn is_filtered(&self) -> bool {
        self.filter != Filter::default()
    }

    pub(in crate::web::ui) fn is_chain(&self, name: &str) -> bool {
        self.filter.chain.as_deref() == Some(name)
    }

    pub(in crate::web::ui) fn is_provider(&self, name: &str) -> bool {
        self.filter.provider.as_deref() == Some(name)
    }

    pub(in crate::web::ui) fn is_outcome(&self, name: &str) -> bool {
        outcome(&self.filter) == Some(name)
    }

    pub(in crate::web::ui) fn text(&self) -> &str {
        self.filter.text.as_deref().unwrap_or_default()
    }
}

fn outcome(filter: &Filter) -> Option<&'static str> {
    Outcome::ALL.into_iter().find(|(_, outcome)| Some(*outcome) == filter.outcome).map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_what_its_url_says() {
        let view = View::of("range=7d&show=auth&chain=a%26b&outcome=failed&q=Groq&before=req_1").unwrap();
        assert_eq!(view.query(), "?range=7d&show=auth&chain=a%26b&outcome=failed&q=groq");
        assert_eq!(view.unfiltered(), "?range=7d&show=auth");
        assert_eq!(view.kept(), [("chain", "a&b"), ("outcome", "failed"), ("q", "groq")]);
        assert_eq!(View::of(&view.query()[1..]).unwrap(), View { before: None, ..view.clone() });
        assert_eq!(view.filter_query(), "chain=a%26b&outcome=failed&q=groq");
        assert_eq!(View::default().query(), "");
        assert_eq!(View::default().live("req_2"), "/ui/live?page=dashboard&after=req_2");
        let empty = View { stage: Stage::NoChain, ..View::default() };
        assert_eq!(View::of(empty.live("").split_once('?').unwrap().1).unwrap().stage, Stage::NoChain);
        assert_eq!(View::of("show=").unwrap(), View::default());
        for wrong in ["range=2h", "outcome=fine", "colour=red", "show=everything"] {
            assert!(View::of(wrong).is_err(), "{wrong}");
        }
    }
}
