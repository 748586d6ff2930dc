//! Simulated providers: `429chain demo` and curious developers need no key, no file and no network.
//!
//! They are real HTTP servers on a loopback port, and the proxy talks to them through the very code that talks to the
//! real hosts: nothing in it knows that a provider is simulated. Each has the character of one kind of free tier, so
//! that a chain of the three shows everything the proxy is for:
//!
//! - [`Simulated::Groq`] is fast and nearly always out of quota: four requests in 20 s, announced by no header, then a
//!   429 that says when to come back.
//! - [`Simulated::OpenRouter`] never fails, but lets people wait 700 ms for the first token.
//! - [`Simulated::Gemini`] is fast, and every third chat call is a 503 or a 429.
//!
//! What they say is made up here: words that name the provider and echo the question, documents and tool arguments
//! made from the client's own JSON schema. Everything that decides is pure and takes the time as an argument; `server`
//! alone knows of sockets.

mod answer;
mod base64;
mod bucket;
mod completion;
mod desk;
mod embedding;
mod go_duration;
mod quota;
mod refusal;
mod request;
mod rolling;
mod schema;
mod script;
mod server;
mod simulated;
mod temper;
mod text;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::dev::ServerHandle;
use tokio::task::JoinHandle;

use crate::domain::time::Now;

pub use simulated::Simulated;

/// Where the simulators read the time.
pub type Clock = Arc<dyn Fn() -> Now + Send + Sync>;

/// The running simulators. Dropping the handle leaves them running until the process or [`Simulators::stop`] ends them.
#[derive(Debug)]
pub struct Simulators {
    address: SocketAddr,
    server: ServerHandle,
    running: JoinHandle<io::Result<()>>,
}

impl Simulators {
    /// Starts all of them on one free loopback port. Must be called inside an actix system.
    pub fn start(clock: Clock) -> io::Result<Self> {
        Self::start_at_pace(clock, Simulated::pace)
    }

    /// Where the API of one of them is: what a configuration calls `baseUrl`.
    #[must_use]
    pub fn base_url(&self, simulated: Simulated) -> String {
        format!("http://{}{}", self.address, simulated.path())
    }

    /// Ends the server at once; streams in progress are cut.
    pub async fn stop(self) -> io::Result<()> {
        self.server.stop(false).await;
        self.running.await.map_err(io::Error::other)?
    }

    fn start_at_pace(clock: Clock, pace: fn(Simulated) -> simulated::Pace) -> io::Result<Self> {
        let (server, address) = server::bind(clock, pace)?;
        let handle = server.handle();
        Ok(Self { address, server: handle, running: actix_web::rt::spawn(server) })
    }
}
