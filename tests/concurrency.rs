//! Many clients at once: no error while an entry can serve, no call that was not granted.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::support::app::{App, CLIENT, ask, chain_of, config_of, whole};
use crate::support::provider::{Answer, Provider};

/// Sixty-four clients, and a first entry that answers 429 with `Retry-After: 2` after every 20 requests. Nobody sees
/// an error, and the cooling entry is not called before its deadline.
#[actix_rt::test]
async fn sixty_four_clients_never_notice_a_rate_limit() {
    let clock = crate::support::clock::TestClock::default();
    let time = clock.clock();
    // What the provider itself knows: served since the last 429, and when it may be called again.
    let truth = Arc::new(Mutex::new((0usize, 0u64, Vec::<u64>::new())));
    let for_provider = Arc::clone(&truth);
    let first = Provider::with(move |_, _| {
        let now = time.mono().0;
        let mut state = for_provider.lock().unwrap();
        if now < state.1 {
            // In flight when the limit was reached: refused like all others, with what is left to wait.
            state.2.push(now);
            return Answer::rate_limited(Some(&(state.1 - now).div_ceil(1_000).to_string()));
        }
        state.0 += 1;
        if state.0 > 20 {
            *state = (0, now + 2_000, std::mem::take(&mut state.2));
            return Answer::rate_limited(Some("2"));
        }
        Answer::ok()
    })
    .await;
    let second = Provider::with(|_, _| Answer::ok()).await;
    let third = Provider::with(|_, _| Answer::ok()).await;
    let app = App::start_at(&chain_of(&[("a", &first), ("b", &second), ("c", &third)]), clock.clone()).await;

    let mut cooling_since = Vec::new();
    for round in 0..10 {
        let before = first.calls();
        let cooling = app.entry("a").await["status"] == "cooling";
        let clients = (0..64).map(|_| app.chat(ask("")));
        for reply in join_all(clients).await {
            assert_eq!(reply.status, 200, "{}", reply.text());
        }
        if cooling {
            assert_eq!(first.calls(), before, "round {round}: a call to a cooling entry");
            cooling_since.push(round);
        }
        clock.advance(Duration::from_millis(500));
    }
    assert!(cooling_since.len() >= 4, "the entry did cool: {cooling_since:?}");
    assert!(cooling_since.len() <= 8, "and came back: {cooling_since:?}");
    app.stop().await;
}

/// LESSONS O1 and O2: the limit was checked long before it was counted, and `concurrentRequests` was read by nobody.
#[actix_rt::test]
async fn o1_o2_no_more_calls_in_flight_than_configured() {
    let gate = Arc::new(Semaphore::new(0));
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (in_first, peak, open) = (Arc::clone(&running), Arc::clone(&most), Arc::clone(&gate));
    let first = Provider::with(move |_, _| {
        let now = in_first.fetch_add(1, Ordering::SeqCst) + 1;
        peak.fetch_max(now, Ordering::SeqCst);
        Answer::ok().behind(&open)
    })
    .await;
    let second = Provider::with(|_, _| Answer::ok()).await;
    let yaml = config_of("", &[("a", &first), ("b", &second)], "").replacen(
        "    type:",
        "    rateLimits: { concurrentRequests: 5 }\n    type:",
        1,
    );
    let app = App::start(&yaml).await;

    let clients = join_all((0..50).map(|_| app.chat(ask(""))));
    let release = async {
        second.called(45).await;
        assert_eq!(
            app.entry("a").await["quota"]["concurrentRequests"],
            serde_json::json!({"limit": 5, "remaining": 0})
        );
        gate.add_permits(5);
    };
    let (replies, ()) = tokio::join!(clients, release);

    assert!(replies.iter().all(|reply| reply.status == 200));
    assert_eq!((first.calls(), second.calls()), (5, 45));
    assert_eq!(app.entry("a").await["quota"]["concurrentRequests"]["remaining"], 5);
    app.stop().await;
}

/// LESSONS O12: a limit of the account was counted once per model.
#[actix_rt::test]
async fn o12_a_limit_of_the_provider_is_shared_by_its_models() {
    let gate = Arc::new(Semaphore::new(0));
    let open = Arc::clone(&gate);
    let provider = Provider::with(move |_, _| Answer::ok().behind(&open)).await;
    let limits = "    rateLimits: { scope: provider, concurrentRequests: 3 }\n";
    let yaml = config_of("  queueMode: false\n", &[("a", &provider)], limits)
        .replace("{ provider: a, model: m }", "{ provider: a, model: m }\n      - { provider: a, model: n }");
    let app = App::start(&yaml).await;
    let clients = join_all((0..8).map(|_| app.chat(ask(""))));
    let release = async {
        provider.called(3).await;
        while app.entry("a").await["quota"]["concurrentRequests"]["remaining"] != 0 {}
        gate.add_permits(8);
    };
    let (replies, ()) = tokio::join!(clients, release);
    let served = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!((served, provider.calls()), (3, 3));
    let refused = replies.iter().find(|reply| reply.status == 503).unwrap();
    assert!(
        refused.text().contains("a/m (3 of 3 requests in flight), a/n (3 of 3 requests in flight)"),
        "{}",
        refused.text()
    );
    assert_eq!(refused.header("retry-after"), "1");
    app.stop().await;
}

/// Requests that share nothing but the proxy, over three worker threads.
#[actix_rt::test]
async fn leases_balance_over_several_workers() {
    let provider = Provider::with(|_, _| Answer::ok()).await;
    let yaml = config_of("  workers: 3\n", &[("a", &provider)], "    rateLimits: { concurrentRequests: 200 }\n");
    let app = App::start(&yaml).await;
    for _ in 0..5 {
        let clients = (0..40).map(|_| async {
            let client = awc::Client::builder().disable_timeout().finish();
            let request = client.post(format!("{}/v1/chat/completions", app.url)).bearer_auth(CLIENT);
            whole(request.send_body(ask("")).await.unwrap()).await.status
        });
        assert!(join_all(clients).await.into_iter().all(|status| status == 200));
    }
    while app.entry("a").await["inFlight"] != 0 {}
    app.stop().await;
}

/// All of these at the same time, on this thread.
pub async fn join_all<T: 'static>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|cx| {
        let mut all = true;
        for (future, done) in &mut waiting {
            if done.is_none() {
                match future.as_mut().poll(cx) {
                    std::task::Poll::Ready(value) => *done = Some(value),
                    std::task::Poll::Pending => all = false,
                }
            }
        }
        if all { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    waiting.into_iter().filter_map(|(_, done)| done).collect()
}
