//! The provider for what nginx cannot play: streams whose parts come one after the other, and refusals. The path says
//! what is wanted. It runs on a thread of its own.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

use crate::Result;
use crate::connection::Connection;

/// The rest of a stream comes this long after its first event.
const LATER: Duration = Duration::from_millis(1);

const FIRST: &str = concat!(
    r#"data: {"id":"chatcmpl-3f9d1c2b","object":"chat.completion.chunk","created":1795521600,"model":"m","#,
    r#""choices":[{"index":0,"delta":{"role":"assistant","content":"A fox"},"finish_reason":null}]}"#,
    "\n\n"
);

const REST: &str = concat!(
    r#"data: {"id":"chatcmpl-3f9d1c2b","object":"chat.completion.chunk","created":1795521600,"model":"m","#,
    r#""choices":[{"index":0,"delta":{"content":" is a fox."},"finish_reason":"stop"}]}"#,
    "\n\ndata: [DONE]\n\n"
);

const COLD: &str = r#"{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}"#;

/// A running provider. It ends with the process: it holds nothing that others could miss.
#[derive(Debug)]
pub(crate) struct Provider {
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Provider {
    /// Starts it.
    pub(crate) fn start() -> Result<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("provider".into()).spawn(move || {
            runtime.block_on(async {
                let Ok(listener) = TcpListener::from_std(listener) else { return };
                while let Ok((stream, _)) = listener.accept().await {
                    // A connection that breaks is noticed by whoever waits for its answer.
                    tokio::spawn(serve(stream));
                }
            });
        })?;
        Ok(Self { address })
    }
}

async fn serve(stream: TcpStream) -> Result<()> {
    let mut connection = Connection::over(stream)?;
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n{}",
        chunk(FIRST)
    );
    let rest = format!("{}0\r\n\r\n", chunk(REST));
    let cold = format!(
        "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\nretry-after: 3600\r\n\
         content-length: {}\r\n\r\n{COLD}",
        COLD.len()
    );
    while let Some(request) = connection.message().await? {
        let path = request.split(' ').nth(1).unwrap_or_default();
        if path.starts_with("/cold/") {
            connection.send(cold.as_bytes()).await?;
            continue;
        }
        let held = path.starts_with("/hold/");
        connection.send(head.as_bytes()).await?;
        if held {
            // Until the other side closes.
            return connection.until(b"nothing more comes").await;
        }
        tokio::time::sleep(LATER).await;
        connection.send(rest.as_bytes()).await?;
    }
    Ok(())
}

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}
