//! The HTTP shell of the simulators: one server, a path for each provider.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{App, Error, HttpRequest, HttpResponse, HttpServer, web};
use tokio_stream::StreamExt;

use super::Clock;
use super::desk::{Body, Desk, Reply};
use super::quota::Headers;
use super::refusal::Refusal;
use super::script::Frame;
use super::simulated::{Pace, Simulated};

/// Longest request body.
const MAX_BODY: usize = 32 << 20;

/// What a provider's handlers share. The lock is held for one synchronous call of the desk and never over an await.
struct Provider {
    desk: Mutex<Desk>,
    clock: Clock,
}

/// Binds a free loopback port; the server runs once it is polled.
pub(crate) fn bind(clock: Clock, pace: fn(Simulated) -> Pace) -> std::io::Result<(Server, SocketAddr)> {
    let providers = Simulated::ALL.map(|simulated| {
        let desk = Mutex::new(Desk::new(simulated, pace(simulated)));
        (simulated, web::Data::new(Provider { desk, clock: Arc::clone(&clock) }))
    });
    let server = HttpServer::new(move || {
        providers.iter().fold(App::new().app_data(web::PayloadConfig::new(MAX_BODY)), |app, (simulated, provider)| {
            app.service(routes(*simulated).app_data(web::Data::clone(provider)))
        })
    })
    .workers(1)
    .tcp_nodelay(true)
    .h1_allow_half_closed(false)
    .keep_alive(Duration::from_secs(75))
    .disable_signals()
    .bind((std::net::Ipv4Addr::LOCALHOST, 0))?;
    let address = server.addrs().first().copied();
    let address = address.ok_or_else(|| std::io::Error::other("the simulators' server has no address"))?;
    Ok((server.run(), address))
}

fn routes(simulated: Simulated) -> actix_web::Scope {
    let scope = web::scope(simulated.path())
        .route("/chat/completions", web::post().to(chat))
        .route("/models", web::get().to(models))
        .default_service(web::to(nowhere));
    match simulated.embedding_model() {
        Some(_) => scope.route("/embeddings", web::post().to(embed)),
        None => scope,
    }
}

async fn chat(provider: web::Data<Provider>, http: HttpRequest, body: Result<web::Bytes, Error>) -> HttpResponse {
    let now = (provider.clock)();
    send(provider.at(|desk| match body {
        Ok(body) => desk.chat(key(&http), &body, now),
        Err(error) => desk.refuse(&unread(&error), Headers::new()),
    }))
    .await
}

async fn embed(provider: web::Data<Provider>, http: HttpRequest, body: Result<web::Bytes, Error>) -> HttpResponse {
    send(provider.at(|desk| match body {
        Ok(body) => desk.embed(key(&http), &body),
        Err(error) => desk.refuse(&unread(&error), Headers::new()),
    }))
    .await
}

async fn models(provider: web::Data<Provider>, http: HttpRequest) -> HttpResponse {
    let now = (provider.clock)();
    send(provider.at(|desk| desk.models(key(&http), now))).await
}

async fn nowhere(provider: web::Data<Provider>, http: HttpRequest) -> HttpResponse {
    let refusal = Refusal::NoRoute { method: http.method().to_string(), path: http.path().to_owned() };
    send(provider.at(|desk| desk.refuse(&refusal, Headers::new()))).await
}

impl Provider {
    fn at(&self, ask: impl FnOnce(&mut Desk) -> Reply) -> Reply {
        ask(&mut self.desk.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The bearer key of a request.
fn key(http: &HttpRequest) -> Option<&str> {
    http.headers().get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

/// A body that could not be read is too long or cut off.
fn unread(error: &Error) -> Refusal {
    match error.as_response_error().status_code() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLarge,
        _ => Refusal::BadRequest("the request body could not be read".to_owned()),
    }
}

async fn send(reply: Reply) -> HttpResponse {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    for header in reply.headers {
        response.insert_header(header);
    }
    match reply.body {
        Body::Json { after, document } => {
            pause(after).await;
            response.insert_header((CONTENT_TYPE, "application/json")).body(document.to_string())
        }
        Body::Stream(frames) => response
            .insert_header((CONTENT_TYPE, "text/event-stream"))
            .insert_header((CACHE_CONTROL, "no-cache"))
            .streaming(tokio_stream::iter(frames).then(trickle)),
    }
}

async fn trickle(frame: Frame) -> Result<web::Bytes, Infallible> {
    pause(frame.after).await;
    Ok(frame.bytes)
}

/// Waits; a pause of nothing does not even go through the timer.
async fn pause(span: Duration) {
    if !span.is_zero() {
        tokio::time::sleep(span).await;
    }
}

#[cfg(test)]
mod tests;
