//! The admin UI: pages made on the server, that work without scripts and are smoother with them.
//!
//! A session is opened with an admin key and lives in this process only. Keys of the API are of no use here, and the
//! session's cookie is of none there. Everything a page loads comes from this origin, nothing in it is inline, and the
//! policy that is sent along holds browsers to that.

mod assets;
mod chains;
mod chart;
mod cookie;
mod dashboard;
mod did;
pub mod door;
mod fault;
mod fields;
mod live;
mod log;
mod login;
mod paper;
mod playground;
mod providers;
mod sessions;
mod settings;
mod shell;
mod sse;
mod standing;
mod trail;
mod tries;
mod words;

use std::path::PathBuf;

use actix_web::error::InternalError;
use actix_web::http::header::LOCATION;
use actix_web::web::{self, FormConfig, PathConfig, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Resource, ResponseError as _, Route, guard};

use self::fault::Fault;
use self::live::Live;
use self::sessions::Sessions;
use self::tries::Tries;

/// What the pages share, over all worker threads.
#[derive(Debug)]
pub struct Ui {
    sessions: Sessions,
    tries: Tries,
    live: Live,
    static_dir: Option<PathBuf>,
}

impl Ui {
    /// Nobody is here yet. Style and scripts come from `static_dir`, if it is given.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn new(static_dir: Option<PathBuf>) -> Result<Self, ring::error::Unspecified> {
        Ok(Self { sessions: Sessions::new()?, tries: Tries::default(), live: Live::default(), static_dir })
    }
}

impl Ui {
    /// Pages that are told what is new.
    #[must_use]
    pub fn pages(&self) -> usize {
        self.live.count()
    }
}

/// All pages. Who may see them is decided at the [`door`].
pub fn routes(config: &mut ServiceConfig) {
    let form = FormConfig::default().limit(door::MOST_BYTES).error_handler(|error, request| {
        let advice = format!("What was sent is no form of a page of 429chain: {error}.");
        let page = Fault::of(error.status_code().as_u16(), "That did not work", advice).page(request);
        InternalError::from_response(error, page).into()
    });
    // A place in a list that is no number, or beyond all numbers.
    let path = PathConfig::default().error_handler(|error, request| {
        let page = fault::no_such_page(request);
        InternalError::from_response(error, page).into()
    });
    config
        .app_data(form)
        .app_data(path)
        .service(at("/").route(view().to(home)))
        .service(at("/ui").route(view().to(dashboard::page)))
        .service(at("/ui/login").route(view().to(login::page)).route(web::post().to(login::enter)))
        .service(at("/ui/logout").route(web::post().to(login::leave)))
        .service(at("/ui/theme").route(web::post().to(shell::theme)))
        .service(at("/ui/live").route(web::get().to(live::stream)))
        .service(at("/ui/requests").route(view().to(log::list)))
        .service(at("/ui/requests/export").route(web::get().to(log::export)))
        .service(at("/ui/requests/{id}").route(view().to(log::one)))
        .configure(providers::routes)
        .configure(chains::routes)
        .service(at("/ui/playground").route(view().to(playground::page)))
        .service(at("/ui/playground/send").route(web::post().to(playground::send)))
        .service(at("/ui/playground/curl").route(web::post().to(playground::curl)))
        .configure(settings::routes)
        .service(at("/ui/static/{file:.*}").route(view().to(assets::file)))
        .service(web::resource("/ui/{nothing:.*}").route(web::to(fault::nothing_here)));
}

/// A place that says so on a page when it does not take a method.
fn at(path: &str) -> Resource {
    web::resource(path).default_service(web::to(fault::wrong_method))
}

/// `GET`, and `HEAD` for those who only ask whether a page is there.
fn view() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

async fn home(_: HttpRequest) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, "/ui")).finish()
}
