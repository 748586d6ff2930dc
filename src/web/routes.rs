//! Which path leads where.

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Resource};

use super::error::ApiError;
use super::{admin, completions, explain, health, metrics, models, openapi, ratelimits, reload, stats, ui};

/// All routes of the API.
pub fn api(config: &mut ServiceConfig) {
    config
        .service(
            resource("/health", "GET, HEAD").route(web::get().to(health::health)).route(web::head().to(health::health)),
        )
        .service(get("/metrics").route(web::get().to(metrics::metrics)))
        .service(post("/v1/chat/completions").route(web::post().to(completions::chat)))
        .service(post("/v1/embeddings").route(web::post().to(completions::embeddings)))
        .service(get("/v1/models").route(web::get().to(models::list)))
        .service(get("/v1/models/{id:.+}").route(web::get().to(models::one)))
        .service(post("/v1/admin/explain").route(web::post().to(explain::explain)))
        .service(post("/v1/admin/reload").route(web::post().to(reload::reload)))
        .service(get("/v1/admin/config").route(web::get().to(admin::config::config)))
        .service(
            resource("/v1/admin/providers/{id}", "PUT, DELETE")
                .route(web::put().to(admin::providers::put))
                .route(web::delete().to(admin::providers::delete)),
        )
        .service(post("/v1/admin/providers/{id}/test").route(web::post().to(admin::trial::provider)))
        .service(get("/v1/admin/providers/{id}/models").route(web::get().to(admin::catalogue::models)))
        .service(
            resource("/v1/admin/chains/{name}", "PUT, DELETE")
                .route(web::put().to(admin::chains::put))
                .route(web::delete().to(admin::chains::delete)),
        )
        .service(resource("/v1/admin/chains/{name}/order", "PUT").route(web::put().to(admin::chains::order)))
        .service(resource("/v1/admin/default-chain", "PUT").route(web::put().to(admin::chains::default)))
        .service(resource("/v1/admin/settings", "PATCH").route(web::patch().to(admin::settings::patch)))
        .service(get("/v1/admin/versions").route(web::get().to(admin::versions::list)))
        .service(get("/v1/admin/versions/{id}").route(web::get().to(admin::versions::one)))
        .service(post("/v1/admin/restore").route(web::post().to(admin::versions::restore)))
        .service(post("/v1/admin/entries/thaw").route(web::post().to(admin::thaw::thaw)))
        .service(post("/v1/test/chain/{name}").route(web::post().to(admin::trial::chain)))
        .service(get("/v1/stats/summary").route(web::get().to(stats::summary)))
        .service(get("/v1/stats/series").route(web::get().to(stats::series::series)))
        .service(get("/v1/stats/prices").route(web::get().to(stats::saved::prices)))
        .service(get("/v1/stats/requests").route(web::get().to(stats::log::list)))
        .service(get("/v1/stats/requests/{id}").route(web::get().to(stats::log::one)))
        .service(get("/v1/stats/{kind:providers|chains|entries|clients}").route(web::get().to(stats::all)))
        .service(get("/v1/stats/{kind:providers|chains|entries|clients}/{name:.+}").route(web::get().to(stats::one)))
        .service(get("/v1/openapi.json").route(web::get().to(openapi::openapi)))
        .service(get("/v1/ratelimits").route(web::get().to(ratelimits::ratelimits)))
        .configure(ui::routes)
        .default_service(web::to(unknown_path));
}

fn get(path: &str) -> Resource {
    resource(path, "GET")
}

fn post(path: &str) -> Resource {
    resource(path, "POST")
}

/// A path with the methods that it takes.
fn resource(path: &str, allowed: &'static str) -> Resource {
    let refuse = move |request: HttpRequest| async move { wrong_method(&request, allowed) };
    web::resource(path).default_service(web::to(refuse))
}

fn wrong_method(request: &HttpRequest, allowed: &'static str) -> HttpResponse {
    let (method, path) = (request.method().to_string(), request.path().to_owned());
    ApiError::MethodNotAllowed { method, path, allowed }.response()
}

async fn unknown_path(request: HttpRequest) -> HttpResponse {
    ApiError::UnknownPath { method: request.method().to_string(), path: request.path().to_owned() }.response()
}
