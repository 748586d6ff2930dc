//! Who may read the figures.

use std::net::{SocketAddr, UdpSocket};

use super::Scrape;
use crate::support::app::{ADMIN, App, CLIENT, Reply, chain_of, config_of, healthy, whole};
use crate::support::wire::Wire;

async fn get(app: &App, headers: &[(&str, &str)]) -> Reply {
    let mut request = app.client.get(format!("{}/metrics", app.url));
    for header in headers {
        request = request.insert_header(*header);
    }
    whole(request.send().await.unwrap()).await
}

#[actix_rt::test]
async fn from_this_machine_no_key_is_needed() {
    let a = healthy().await;
    let app = App::start(&chain_of(&[("a", &a)])).await;
    Scrape::read(&get(&app, &[]).await);
    Scrape::read(&get(&app, &[("authorization", "Bearer nope")]).await);
    for key in [CLIENT, ADMIN] {
        Scrape::read(&app.get_as("/metrics", key).await);
    }
    let reply = app.post_to("/metrics", "").await;
    assert_eq!((reply.status, reply.code().as_str()), (405, "method_not_allowed"));
    app.stop().await;
}

#[actix_rt::test]
async fn through_a_proxy_a_key_is_needed() {
    let a = healthy().await;
    let app = App::start(&chain_of(&[("a", &a)])).await;
    for header in [
        ("x-forwarded-for", "127.0.0.1"),
        ("X-Forwarded-For", ""),
        ("forwarded", "for=127.0.0.1"),
        ("x-real-ip", "::1"),
        ("x-forwarded-proto", "https"),
        ("via", "1.1 somewhere"),
    ] {
        for key in [None, Some("nope")] {
            let bearer = format!("Bearer {}", key.unwrap_or_default());
            let mut headers = vec![header];
            headers.extend(key.map(|_| ("authorization", bearer.as_str())));
            let reply = get(&app, &headers).await;
            assert_eq!((reply.status, reply.code().as_str()), (401, "invalid_api_key"), "{header:?} {key:?}");
            assert!(reply.text().contains("settings.adminKeys"), "{}", reply.text());
        }
        for key in [CLIENT, ADMIN] {
            Scrape::read(&get(&app, &[header, ("authorization", &format!("Bearer {key}"))]).await);
        }
    }
    // As the routes read the path, so does whoever guards them.
    let mut wire = Wire::to(&app).await;
    assert!(wire.send("GET /metric%73 HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 1.2.3.4\r\n\r\n").await);
    assert_eq!(wire.answer().await.unwrap().status(), 401);
    app.stop().await;
}

/// Where this machine has an address other than that of itself, a connection to it does not come from there.
#[actix_rt::test]
async fn from_another_address_a_key_is_needed() {
    let a = healthy().await;
    let app = App::start(&config_of("  host: 0.0.0.0\n", &[("a", &a)], "")).await;
    let Some(address) = own_address(app.proxy.addresses()[0].port()) else { return app.stop().await };
    let url = format!("http://{address}/metrics");
    let reply = whole(app.client.get(&url).send().await.unwrap()).await;
    assert_eq!((reply.status, reply.code().as_str()), (401, "invalid_api_key"));
    for key in [CLIENT, ADMIN] {
        Scrape::read(&whole(app.client.get(&url).bearer_auth(key).send().await.unwrap()).await);
    }
    app.stop().await;
}

/// An address by which others would find this machine, if it has any. Nothing is sent.
fn own_address(port: u16) -> Option<SocketAddr> {
    let socket = UdpSocket::bind(("0.0.0.0", 0)).ok()?;
    socket.connect(("192.0.2.1", 9)).ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_loopback() && !ip.is_unspecified()).then_some(SocketAddr::new(ip, port))
}
