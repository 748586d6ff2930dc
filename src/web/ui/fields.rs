//! What a form holds, and what is wrong with it.

use serde::Deserialize;

use crate::web::error::ApiError;

/// The fields of a form, in its order. Of those that come more than once, the first counts where one is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// What is in a field, without spaces around it; nothing when it is not there.
    pub(super) fn text<'a>(&'a self, name: &'a str) -> &'a str {
        self.all(name).next().unwrap_or_default()
    }

    /// What is in all fields of that name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.trim())
    }

    /// Whether a box is ticked.
    pub(super) fn is_on(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// Of the file that the form was made from.
    pub(super) fn revision(&self) -> &str {
        self.text("rev")
    }
}

/// What fields are called whose names say less than their labels.
const LABELS: [(&str, &str); 6] = [
    ("baseUrl", "Base URL"),
    ("key", "API key"),
    ("variable", "Environment variable"),
    ("timeout", "Time-out"),
    ("name", "Name"),
    ("id", "ID"),
];

/// One thing that is wrong with a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// The field; empty when it is about none of them.
    pub(super) field: &'static str,
    pub(super) message: String,
}

impl Wrong {
    /// With a field.
    pub(super) fn of(field: &'static str, message: impl Into<String>) -> Self {
        Self { field, message: message.into() }
    }

    /// The same where it does not stand beside its field.
    pub(super) fn told(&self) -> String {
        match LABELS.iter().find(|(field, _)| *field == self.field) {
            Some((_, label)) => format!("{label}: {}", self.message),
            None => self.message.clone(),
        }
    }

    /// What a refused change comes to. `fields` are the names of the form's fields beside the keys of the configuration
    /// that they end up in, all of it below `place`: what is wrong elsewhere has no field here.
    pub(super) fn all(fault: &ApiError, place: &str, fields: &[(&str, &'static str)]) -> Vec<Self> {
        let problems = match fault {
            ApiError::InvalidConfig { problems, .. } if !problems.is_empty() => problems,
            _ => return vec![Self::of("", fault.to_string())],
        };
        let field = |path: &str| {
            let keys = path.strip_prefix(place)?.split(['.', '[', ']']).collect::<Vec<_>>();
            fields.iter().find(|(key, _)| keys.contains(key)).map(|(_, field)| *field)
        };
        problems
            .iter()
            .map(|problem| match field(problem.path()) {
                Some(field) => Self::of(field, problem.words()),
                None => Self::of("", format!("{}: {}", problem.path(), problem.words())),
            })
            .collect()
    }
}

/// What is wrong with one field.
pub(super) fn wrong_with<'a>(wrongs: &'a [Wrong], field: &str) -> Option<&'a str> {
    wrongs.iter().find(|wrong| wrong.field == field && !field.is_empty()).map(|wrong| wrong.message.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::reload::ProblemView;

    #[test]
    fn fields_are_found_by_their_names() {
        let pairs = [("a", " 1 "), ("b", ""), ("a", "2")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let fields = Fields(pairs.to_vec());
        assert_eq!((fields.text("a"), fields.text("b"), fields.text("c")), ("1", "", ""));
        assert_eq!(fields.all("a").collect::<Vec<_>>(), ["1", "2"]);
        assert!(fields.is_on("b") && !fields.is_on("c"));
    }

    #[test]
    fn a_problem_is_told_at_its_field() {
        let problem = |path: &str| ProblemView::new(path, "is no good", Some("be good"));
        let paths = ["providers[2].rateLimits.requestsPerDay", "chains[0].name", "providers[21].name"];
        let fault = ApiError::InvalidConfig { message: "no".to_owned(), problems: paths.map(problem).to_vec() };
        let wrongs = Wrong::all(&fault, "providers[2].", &[("requestsPerDay", "day"), ("name", "name")]);
        assert_eq!(wrong_with(&wrongs, "day"), Some("is no good: be good"));
        assert_eq!(wrongs[1], Wrong::of("", "chains[0].name: is no good: be good"));
        assert_eq!(wrongs[2].field, "", "another provider's");
        assert_eq!(Wrong::all(&ApiError::NoConfigFile, "", &[])[0].field, "");
    }
}
