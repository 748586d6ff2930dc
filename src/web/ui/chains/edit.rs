//! The page of one chain.

use actix_web::http::StatusCode;
use actix_web::web::{Form, Path};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use askama::Template;

use super::desk::{Desk, refusal};
use super::listed::{Listed, Place};
use super::picks::{self, Known};
use super::trial::Tried;
use crate::config::edit::{Change, Value};
use crate::web::ui::did;
use crate::web::ui::door::Caller;
use crate::web::ui::fault::Fault;
use crate::web::ui::fields::{Fields, Wrong, wrong_with};
use crate::web::ui::shell::{Shell, answer, wants_part};

/// The whole page.
#[derive(Template)]
#[template(path = "chain.html")]
struct Page {
    shell: Shell,
    view: View,
}

/// What of it is another after a change.
#[derive(Template)]
#[template(path = "chain_parts.html")]
struct Parts {
    view: View,
    /// Something was done, or refused; otherwise only what time has changed.
    after: bool,
}

/// What is on the page.
struct View {
    csrf: String,
    revision: String,
    locked: bool,
    chain: Listed,
    known: Vec<Known>,
    told: Told,
}

/// What the page has to say beside what it shows.
#[derive(Default)]
pub(super) struct Told {
    /// What was done.
    pub(super) said: String,
    /// Why something was not.
    pub(super) refused: String,
    /// What is wrong with a form.
    pub(super) wrongs: Vec<Wrong>,
    /// The form.
    pub(super) of: Which,
    pub(super) undo: Option<Undo>,
    pub(super) tried: Option<Tried>,
}

/// A form that something is wrong with, and what is in it.
#[derive(Default)]
pub(super) enum Which {
    #[default]
    None,
    Add {
        provider: String,
        model: String,
        at: String,
        /// It would be added if that was asked for once more.
        anyway: bool,
    },
    Name(String),
}

/// An entry that was removed and can be put back.
pub(super) struct Undo {
    label: String,
    /// All its keys, as JSON.
    entry: String,
    /// Its place, counted from 1.
    at: usize,
}

impl Undo {
    pub(super) fn of(place: &Place, at: usize) -> Self {
        let entry = serde_json::to_string(&place.written).unwrap_or_default();
        Self { label: place.label(), entry, at }
    }
}

impl Told {
    /// Something was done.
    pub(super) fn done(said: impl Into<String>) -> Self {
        Self { said: said.into(), ..Self::default() }
    }

    /// Something was not.
    pub(super) fn refused(why: impl Into<String>) -> Self {
        Self { refused: why.into(), ..Self::default() }
    }
}

impl View {
    fn many(&self) -> usize {
        self.chain.places.len()
    }

    fn cost(&self) -> String {
        let many = self.many();
        format!("{many} request{}", if many == 1 { "" } else { "s" })
    }

    fn wrong(&self, field: &str) -> Option<&str> {
        wrong_with(&self.told.wrongs, field)
    }

    fn is_new(&self) -> bool {
        matches!(self.told.of, Which::Add { .. })
    }

    fn is_name(&self) -> bool {
        matches!(self.told.of, Which::Name(_))
    }

    fn provider(&self) -> &str {
        match &self.told.of {
            Which::Add { provider, .. } => provider,
            _ => "",
        }
    }

    fn model(&self) -> &str {
        match &self.told.of {
            Which::Add { model, .. } => model,
            _ => "",
        }
    }

    fn at(&self) -> &str {
        match &self.told.of {
            Which::Add { at, .. } => at,
            _ => "",
        }
    }

    fn anyway(&self) -> bool {
        matches!(self.told.of, Which::Add { anyway: true, .. })
    }

    fn name(&self) -> &str {
        match &self.told.of {
            Which::Name(name) => name,
            _ => &self.chain.name,
        }
    }
}

/// `GET /ui/chains/{name}`
pub(super) async fn page(request: HttpRequest, name: Path<String>) -> HttpResponse {
    show(&request, &name, StatusCode::OK, Told::default()).await
}

/// The page as it is now; for htmx the parts of it that may be others than before.
pub(super) async fn show(request: &HttpRequest, name: &str, status: StatusCode, told: Told) -> HttpResponse {
    let desk = match Desk::open(request).await {
        Ok(desk) => desk,
        Err(fault) => return fault.page(request),
    };
    let chain = match desk.chain(name) {
        Ok(chain) => chain.clone(),
        Err(fault) => return fault.page(request),
    };
    let csrf = request.extensions().get::<Caller>().map(|caller| caller.token.clone()).unwrap_or_default();
    let known = picks::all(&desk.state, &desk.paper.config);
    let (revision, locked) = (desk.paper.revision.clone(), desk.paper.locked.is_some());
    let view = View { csrf, revision, locked, chain, known, told };
    match wants_part(request) {
        true => answer(request, status, &Parts { view, after: !request.method().is_safe() }),
        false => {
            let shell = Shell::of(request, "Chains", "/ui/chains").with_paper(&desk.paper);
            answer(request, status, &Page { shell, view })
        }
    }
}

/// `POST /ui/chains/{name}`: gives it another name.
pub(super) async fn rename(request: HttpRequest, name: Path<String>, fields: Form<Fields>) -> HttpResponse {
    let desk = match Desk::open(&request).await {
        Ok(desk) => desk,
        Err(fault) => return fault.page(&request),
    };
    let to = fields.text("name").to_owned();
    if to == *name {
        return did::done(&request, &format!("/ui/chains/{name}"), "same");
    }
    let change = Change::RenameChain { from: name.clone(), to: to.clone() };
    let told = match wrong_name(&desk, &to) {
        Some(wrong) => (StatusCode::UNPROCESSABLE_ENTITY, Told { wrongs: vec![wrong], ..Told::default() }),
        None => match desk.change(fields.revision(), vec![change]).await {
            Ok(()) => return did::done(&request, &format!("/ui/chains/{to}"), "renamed"),
            Err(fault) if fault.status() == StatusCode::CONFLICT => {
                let (status, words) = refusal(&fault, "The chain was not renamed.");
                (status, Told::refused(words))
            }
            Err(fault) => (
                fault.status(),
                Told {
                    wrongs: Wrong::all(&fault, &desk.paper.place_of_chain(&name), &[("name", "name")]),
                    ..Told::default()
                },
            ),
        },
    };
    let (status, told) = told;
    show(&request, &name, status, Told { of: Which::Name(to), ..told }).await
}

/// What the configuration itself would not notice.
pub(super) fn wrong_name(desk: &Desk, name: &str) -> Option<Wrong> {
    let is_entry = || {
        let (provider, model) = name.split_once('/')?;
        let known = picks::all(&desk.state, &desk.paper.config);
        let known = known.iter().any(|one| one.provider == provider && one.models.iter().any(|known| known == model));
        known.then_some(())
    };
    if name.is_empty() {
        return Some(Wrong::of("name", "Write what clients are to ask for."));
    }
    if desk.chains.iter().any(|chain| chain.name == name) {
        return Some(Wrong::of("name", format!("There is a chain `{name}` already. Choose another name.")));
    }
    is_entry().map(|()| {
        let words = "is a model that clients reach by this name anyway. Choose a name without a slash.";
        Wrong::of("name", format!("`{name}` {words}"))
    })
}

/// `POST /ui/chains/{name}/default`: makes it the default.
pub(super) async fn default(request: HttpRequest, name: Path<String>, fields: Form<Fields>) -> HttpResponse {
    let desk = match Desk::open(&request).await {
        Ok(desk) => desk,
        Err(fault) => return fault.page(&request),
    };
    match desk.change(fields.revision(), vec![Change::SetDefaultChain { name: name.clone() }]).await {
        Ok(()) => did::done(&request, &format!("/ui/chains/{name}"), "default"),
        Err(fault) => {
            let (status, words) = refusal(&fault, "The default chain is the same as before.");
            show(&request, &name, status, Told::refused(words)).await
        }
    }
}

/// An entry that a form brings back: a mapping of plain values.
pub(super) fn brought_back(json: &str) -> Result<Value, Fault> {
    let value = serde_json::from_str::<Value>(json).ok();
    let plain = value.filter(|value| {
        value.text("provider").is_some() && value.members().iter().all(|(_, value)| value.as_text().is_some())
    });
    plain.ok_or_else(|| Fault::of(400, "That is no entry", "Add it by its provider and its model."))
}
