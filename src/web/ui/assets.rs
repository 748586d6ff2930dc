//! Style and scripts: in the binary, or from `--static-dir`.
//!
//! What is in the binary is named with the digest of its bytes and may be kept for ever; what comes from a folder may
//! change any moment.

use std::sync::LazyLock;

use actix_files::NamedFile;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};

use super::fault;
use super::shell::state;

/// A file of the UI.
struct Asset {
    path: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// All that pages load.
const ASSETS: [Asset; 7] = [
    Asset { path: "app.css", kind: "text/css; charset=utf-8", bytes: include_bytes!("../../../static/app.css") },
    Asset { path: "app.js", kind: SCRIPT, bytes: include_bytes!("../../../static/app.js") },
    Asset { path: "edit.css", kind: "text/css; charset=utf-8", bytes: include_bytes!("../../../static/edit.css") },
    Asset { path: "edit.js", kind: SCRIPT, bytes: include_bytes!("../../../static/edit.js") },
    Asset { path: "icon.svg", kind: "image/svg+xml", bytes: include_bytes!("../../../static/icon.svg") },
    Asset {
        path: "vendor/htmx-4.0.1.min.js",
        kind: SCRIPT,
        bytes: include_bytes!("../../../static/vendor/htmx-4.0.1.min.js"),
    },
    Asset {
        path: "vendor/hx-sse-4.0.1.min.js",
        kind: SCRIPT,
        bytes: include_bytes!("../../../static/vendor/hx-sse-4.0.1.min.js"),
    },
];

/// Changes with any of the files that are in the binary.
pub(super) static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    for asset in &ASSETS {
        context.update(asset.bytes);
    }
    context.finish().as_ref().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
});

/// `GET /ui/static/{file}`
pub(super) async fn file(request: HttpRequest, path: Path<String>) -> HttpResponse {
    let Some(asset) = ASSETS.iter().find(|asset| asset.path == path.as_str()) else {
        return fault::nothing_here(request).await;
    };
    if let Some(folder) = state(&request).and_then(|state| state.ui.static_dir.clone()) {
        return match NamedFile::open(folder.join(asset.path)) {
            Ok(file) => {
                let mut response = file.into_response(&request);
                response.headers_mut().insert(CACHE_CONTROL, NO_CACHE);
                response
            }
            Err(_) => fault::nothing_here(request).await,
        };
    }
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, asset.kind))
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(asset.bytes)
}

const NO_CACHE: actix_web::http::header::HeaderValue = actix_web::http::header::HeaderValue::from_static("no-cache");
