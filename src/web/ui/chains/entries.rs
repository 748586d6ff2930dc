//! Changes to the entries of a chain. Each answers with the list as it is afterwards, also when somebody else was faster.

use actix_web::http::StatusCode;
use actix_web::web::{Form, Path};
use actix_web::{HttpRequest, HttpResponse};

use super::desk::{Desk, refusal};
use super::edit::{Told, Undo, Which, brought_back, show};
use super::listed::Listed;
use super::picks;
use crate::config::edit::Change;
use crate::web::ui::did;
use crate::web::ui::fault::Fault;
use crate::web::ui::fields::{Fields, Wrong};
use crate::web::ui::shell::wants_part;

const WRONG: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

/// `POST /ui/chains/{name}/entries`: adds one, or puts back one that was removed.
pub(super) async fn add(request: HttpRequest, name: Path<String>, fields: Form<Fields>) -> HttpResponse {
    let found = Desk::open(&request).await.and_then(|desk| {
        let chain = desk.chain(&name)?.clone();
        let back = match fields.text("entry") {
            "" => None,
            json => Some(brought_back(json)?),
        };
        Ok((desk, chain, back))
    });
    let (desk, chain, back) = match found {
        Ok(found) => found,
        Err(fault) => return fault.page(&request),
    };
    let of = |name| match &back {
        Some(entry) => entry.text(name).unwrap_or_default(),
        None => fields.text(name),
    };
    let (provider, model) = (of("provider"), of("model"));
    let entry = back.clone().unwrap_or_else(|| picks::entry(provider, model));
    let form = |anyway| Which::Add {
        provider: provider.to_owned(),
        model: model.to_owned(),
        at: fields.text("at").to_owned(),
        anyway,
    };
    let wrong = twice(&chain, provider, model).or_else(|| if back.is_some() { None } else { wrong(provider, model) });
    if let Some(wrong) = wrong {
        return show(&request, &name, WRONG, Told { wrongs: vec![wrong], of: form(false), ..Told::default() }).await;
    }
    if back.is_none()
        && !fields.is_on("anyway")
        && let Some(wrong) = unlisted(&desk, provider, model)
    {
        return show(&request, &name, WRONG, Told { wrongs: vec![wrong], of: form(true), ..Told::default() }).await;
    }
    // Others may have made the chain shorter since it was removed.
    let most = chain.places.len();
    let at = fields.text("at").parse::<usize>().ok().map(|at| at.saturating_sub(1).min(most)).filter(|at| *at < most);
    let change = Change::InsertEntry { chain: name.clone(), at, entry };
    match desk.change(fields.revision(), vec![change]).await {
        Ok(()) => {
            let verb = if back.is_some() { "is back" } else { "was added" };
            let place = format!("at {} of {}", at.unwrap_or(most) + 1, most + 1);
            let told = Told::done(format!("{provider} / {model} {verb} {place}."));
            done(&request, &name, "added", told).await
        }
        Err(fault) if fault.status() == WRONG => {
            let wrongs =
                Wrong::all(&fault, &desk.paper.place_of_chain(&name), &[("provider", "provider"), ("model", "model")]);
            show(&request, &name, WRONG, Told { wrongs, of: form(false), ..Told::default() }).await
        }
        Err(fault) => {
            let (status, words) = refusal(&fault, "Your entry was not added.");
            show(&request, &name, status, Told { of: form(false), ..Told::refused(words) }).await
        }
    }
}

/// `POST /ui/chains/{name}/entries/{n}/move`: `up`, `down`, or to a place counted from 1.
pub(super) async fn move_to(request: HttpRequest, path: Path<(String, usize)>, fields: Form<Fields>) -> HttpResponse {
    let (name, n) = path.into_inner();
    let (desk, chain) = match found(&request, &name).await {
        Ok(found) => found,
        Err(fault) => return fault.page(&request),
    };
    let many = chain.places.len();
    let to = match fields.text("to") {
        "up" => Some(n.saturating_sub(1).max(1)),
        "down" => Some((n + 1).min(many)),
        place => place.parse().ok(),
    };
    let Some(to) = to.filter(|to| (1..=many).contains(to)) else {
        let words = format!("A place in this chain is a number from 1 to {many}. Nothing was moved.");
        return show(&request, &name, WRONG, Told::refused(words)).await;
    };
    if !(1..=many).contains(&n) {
        return show(&request, &name, StatusCode::NOT_FOUND, Told::refused(gone(n))).await;
    }
    if to == n {
        let words = if n == 1 { "It is the first one already." } else { "It is there already." };
        let last = n == many && fields.text("to") == "down";
        return done(&request, &name, "same", Told::done(if last { "It is the last one already." } else { words }))
            .await;
    }
    match desk.change(fields.revision(), vec![Change::MoveEntry { chain: name.clone(), from: n - 1, to: to - 1 }]).await
    {
        Ok(()) => done(&request, &name, "saved", Told::done(format!("Moved to {to} of {many}."))).await,
        Err(fault) => {
            let (status, words) = refusal(&fault, "Your move was not applied.");
            show(&request, &name, status, Told::refused(words)).await
        }
    }
}

/// `POST /ui/chains/{name}/entries/{n}/delete`: removes it at once, and offers to put it back.
pub(super) async fn delete(request: HttpRequest, path: Path<(String, usize)>, fields: Form<Fields>) -> HttpResponse {
    let (name, n) = path.into_inner();
    let (desk, chain) = match found(&request, &name).await {
        Ok(found) => found,
        Err(fault) => return fault.page(&request),
    };
    let Some(place) = n.checked_sub(1).and_then(|at| chain.places.get(at)) else {
        return show(&request, &name, StatusCode::NOT_FOUND, Told::refused(gone(n))).await;
    };
    if chain.places.len() == 1 {
        return show(&request, &name, WRONG, Told::refused(LAST)).await;
    }
    match desk.change(fields.revision(), vec![Change::RemoveEntry { chain: name.clone(), at: n - 1 }]).await {
        Ok(()) => {
            let undo = Some(Undo::of(place, n));
            let told = Told { undo, ..Told::done(format!("{} was removed.", place.label())) };
            // What was there is known to this answer only, so it is no redirection.
            show(&request, &name, StatusCode::OK, told).await
        }
        Err(fault) => {
            let (status, words) = refusal(&fault, "Nothing was removed.");
            show(&request, &name, status, Told::refused(words)).await
        }
    }
}

/// Why the last entry stays.
const LAST: &str = "The last entry stays, since a chain without any can serve nothing. Add another one first, or delete \
                    the chain.";

fn gone(n: usize) -> String {
    format!("There is no entry {n} any more; shown as it is now. Nothing was changed.")
}

async fn found(request: &HttpRequest, name: &str) -> Result<(Desk, Listed), Fault> {
    let desk = Desk::open(request).await?;
    let chain = desk.chain(name)?.clone();
    Ok((desk, chain))
}

/// `POST /ui/chains/{name}/order`: all entries at once, by their present places counted from 1, as in `3,1,2`.
pub(super) async fn order(request: HttpRequest, name: Path<String>, fields: Form<Fields>) -> HttpResponse {
    let (desk, chain) = match found(&request, &name).await {
        Ok(found) => found,
        Err(fault) => return fault.page(&request),
    };
    let places = fields.text("order").split(',').map(|place| place.trim().parse::<usize>().ok()?.checked_sub(1));
    let Some(order) = places.collect::<Option<Vec<usize>>>() else {
        let words = format!("An order names each place from 1 to {} once. Nothing was moved.", chain.places.len());
        return show(&request, &name, WRONG, Told::refused(words)).await;
    };
    match desk.change(fields.revision(), vec![Change::OrderEntries { chain: name.clone(), order }]).await {
        Ok(()) => done(&request, &name, "saved", Told::done("The order is changed.")).await,
        Err(fault) => {
            let (status, words) = refusal(&fault, "Your order was not applied.");
            show(&request, &name, status, Told::refused(words)).await
        }
    }
}

async fn done(request: &HttpRequest, name: &str, word: &str, told: Told) -> HttpResponse {
    match wants_part(request) {
        true => show(request, name, StatusCode::OK, told).await,
        false => did::done(request, &format!("/ui/chains/{name}"), word),
    }
}

fn twice(chain: &Listed, provider: &str, model: &str) -> Option<Wrong> {
    let at = chain.find(provider, model)? + 1;
    Some(Wrong::of("model", format!("{provider} / {model} is in this chain already, at {at}.")))
}

fn wrong(provider: &str, model: &str) -> Option<Wrong> {
    match (provider, model) {
        ("", _) => {
            Some(Wrong::of("provider", "Choose a provider. If there is none, add one on the page Providers first."))
        }
        (_, "") => Some(Wrong::of("model", "Write the model as the provider does.")),
        _ => None,
    }
}

/// It may be there all the same: lists of providers are not always complete.
fn unlisted(desk: &Desk, provider: &str, model: &str) -> Option<Wrong> {
    let known = picks::all(&desk.state, &desk.paper.config).into_iter().find(|known| known.provider == provider)?;
    let listed = known.listed.filter(|_| known.models.iter().all(|known| known != model))?;
    let models = if listed == 1 { "1 model".to_owned() } else { format!("{listed} models") };
    let words = format!(
        "“{model}” is not in the list of {models} that {provider} has. Look at the spelling, or add it anyway."
    );
    Some(Wrong::of("model", words))
}
