//! The floor of our stack: actix-web and awc, one worker, a body passed on and an answer passed back, and nothing else.
//!
//! Nothing that is built on the two can be faster. It runs in a process of its own, which is this program again with
//! other arguments, so that its CPU time is all there is.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::{App, HttpResponse, HttpServer, web};

use crate::Result;
use crate::process::{Process, free_address};
use crate::proxy::PATH;

/// The first argument of the other process.
pub(crate) const ROLE: &str = "bare";

/// Starts it in front of `upstream`.
pub(crate) async fn start(dir: &Path, upstream: SocketAddr) -> Result<Process> {
    let address = free_address()?;
    let log = dir.join(ROLE);
    let mut command = Command::new(std::env::current_exe()?);
    // As the proxy has it.
    command.env_clear().env("MIMALLOC_ALLOW_THP", "0").args([ROLE, &address.to_string(), &upstream.to_string()]);
    Process::start(&mut command, address, &log)?.up(&log).await
}

/// Is it, on `address` and in front of `upstream`, until somebody ends the process.
pub(crate) fn serve(address: &str, upstream: &str) -> Result<()> {
    let url = format!("http://{upstream}{PATH}");
    let app = move || {
        let connector = awc::Connector::new().limit(0).conn_keep_alive(Duration::from_secs(15));
        let client = awc::Client::builder().connector(connector).disable_timeout().no_default_headers().finish();
        App::new().app_data(web::Data::new((client, url.clone()))).default_service(web::to(pass_on))
    };
    let server = HttpServer::new(app).workers(1).tcp_nodelay(true).backlog(4_096).bind(address)?;
    actix_web::rt::System::new().block_on(server.keep_alive(Duration::from_secs(75)).run())?;
    Ok(())
}

async fn pass_on(body: web::Bytes, to: web::Data<(awc::Client, String)>) -> HttpResponse {
    let (client, url) = to.get_ref();
    let call = client.post(url).insert_header((CONTENT_TYPE, "application/json")).send_body(body);
    let Ok(mut answer) = call.await else { return HttpResponse::BadGateway().finish() };
    match answer.body().await {
        Ok(body) => HttpResponse::Ok().content_type("application/json").body(body),
        Err(_) => HttpResponse::BadGateway().finish(),
    }
}
