//! What a form has done, told by the page that comes next. The address names it by a word, so that no link from elsewhere
//! can put words into our mouth.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse};

use super::shell::wants_part;

/// By its word in the address, and for people.
const DID: [(&str, &str); 12] = [
    ("saved", "Saved, and in use."),
    ("added", "Added, and in use."),
    ("deleted", "Deleted."),
    ("on", "Switched on."),
    ("off", "Switched off."),
    ("renamed", "Renamed. Clients that asked for the old name must ask for the new one."),
    ("default", "This is the default chain now."),
    ("restored", "The earlier version is back, and in use."),
    ("revoked", "Revoked. The key opens nothing any more."),
    ("reloaded", "The file was read again, and is in use."),
    ("asked", "The list of models is new."),
    ("same", "Nothing was different, so nothing was changed."),
];

/// What the address of a page says was done.
pub(super) fn of(request: &HttpRequest) -> Option<&'static str> {
    let word = request.query_string().split('&').find_map(|pair| pair.strip_prefix("did="))?;
    DID.iter().find(|(known, _)| *known == word).map(|(_, words)| *words)
}

/// On to the page at `path`, which tells that `word` was done.
pub(super) fn done(request: &HttpRequest, path: &str, word: &str) -> HttpResponse {
    debug_assert!(DID.iter().any(|(known, _)| *known == word), "{word}");
    let to = format!("{path}?did={word}");
    match wants_part(request) {
        true => HttpResponse::Ok().insert_header(("hx-redirect", to)).finish(),
        false => HttpResponse::SeeOther().insert_header((LOCATION, to)).finish(),
    }
}
