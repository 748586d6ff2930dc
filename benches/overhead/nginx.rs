//! nginx, once as the provider that answers at once and once as the plain reverse proxy that ours is compared with.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::process::{Process, free_address};

/// What the provider answers: the size and shape of a short completion.
const COMPLETION: &str = concat!(
    r#"{"id":"chatcmpl-3f9d1c2b7a6e4f508192a3b4c5d6e7f8","object":"chat.completion","created":1795521600,"#,
    r#""model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"A fox is a small to medium-sized "#,
    r#"omnivorous mammal of the dog family. It is known for its pointed ears, its bushy tail and its wit, and it "#,
    r#"lives nearly everywhere: in forests, on mountains, in deserts and in many a city.","refusal":null},"#,
    r#""logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":231,"completion_tokens":56,"#,
    r#""total_tokens":287,"prompt_tokens_details":{"cached_tokens":0}},"system_fingerprint":"fp_6ea9c3e1"}"#
);

/// Where nginx is.
pub(crate) fn find() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    dirs.map(|dir| dir.join("nginx"))
        .find(|program| program.is_file())
        .ok_or_else(|| "nginx is missing: apt-get install nginx-light".into())
}

/// What it calls itself.
pub(crate) fn version(program: &Path) -> Result<String> {
    let output = Command::new(program).arg("-v").output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    Ok(said.rsplit(": ").next().unwrap_or_default().trim().to_owned())
}

/// The provider: the same completion for every request.
pub(crate) async fn upstream(program: &Path, dir: &Path) -> Result<Process> {
    let address = free_address()?;
    let server = format!(
        "server {{ listen {address} backlog=4096; \
         location / {{ default_type application/json; return 200 '{COMPLETION}'; }} }}"
    );
    start(program, dir, "upstream", address, &server).await
}

/// The reverse proxy: everything goes to `upstream`, except `/stream/`, which goes to `streams`.
pub(crate) async fn reverse_proxy(
    program: &Path,
    dir: &Path,
    upstream: SocketAddr,
    streams: SocketAddr,
) -> Result<Process> {
    let address = free_address()?;
    let kept = "keepalive 128; keepalive_requests 1000000000; keepalive_timeout 600s;";
    let servers = format!(
        r#"upstream whole {{ server {upstream}; {kept} }}
        upstream streamed {{ server {streams}; {kept} }}
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        server {{
            listen {address} backlog=4096;
            location / {{ proxy_pass http://whole; }}
            location /stream/ {{ proxy_pass http://streamed; proxy_buffering off; }}
        }}"#
    );
    start(program, dir, "reverse-proxy", address, &servers).await
}

async fn start(program: &Path, dir: &Path, role: &str, address: SocketAddr, servers: &str) -> Result<Process> {
    let dir = dir.join(role);
    std::fs::create_dir(&dir)?;
    let here = dir.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {here}/{kind};\n"))
        .concat();
    // One process that is also the worker: its CPU time is all there is.
    let config = format!(
        "daemon off;\nmaster_process off;\nworker_processes 1;\npid {here}/pid;\nerror_log stderr warn;\n\
         events {{ worker_connections 8192; }}\n\
         http {{\naccess_log off;\nkeepalive_requests 1000000000;\nkeepalive_timeout 600s;\n{temporary}{servers}\n}}\n"
    );
    let file = dir.join("nginx.conf");
    std::fs::write(&file, config)?;
    let log = dir.join("log");
    let mut command = Command::new(program);
    command.arg("-p").arg(&dir).arg("-e").arg("stderr").arg("-c").arg(&file);
    Process::start(&mut command, address, &log)?.up(&log).await
}
