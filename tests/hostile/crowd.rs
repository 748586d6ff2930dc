//! More clients than work, and more than there is room for.

use crate::support::app::{App, ask, chain_of, healthy};

/// LESSONS F18: a limiter of the gateway's own, shared by all behind one address, answered 429. Only providers limit.
#[actix_rt::test]
async fn f18_two_hundred_requests_at_once_from_one_address_are_all_served() {
    let provider = healthy().await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    let asking: Vec<_> = (0..200).map(|_| actix_rt::spawn(app.send(ask("")))).collect();
    for reply in asking {
        let reply = reply.await.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    for _ in 0..200 {
        assert_eq!(app.get("/v1/models").await.status, 200);
    }
    assert_eq!(provider.calls(), 200);
    app.stop().await;
}

/// The binary in a process of its own, whose open files can be counted.
#[cfg(target_os = "linux")]
mod apart {
    use std::fs;
    use std::net::SocketAddr;
    use std::process::Command;
    use std::time::Duration;

    use tempfile::TempDir;

    use crate::support::app::{ask, chain_of, healthy};
    use crate::support::binary::{Running, command};
    use crate::support::provider::Provider;
    use crate::support::wire::{Wire, get, head, post};

    struct Site {
        running: Running,
        address: SocketAddr,
        _dir: TempDir,
    }

    impl Site {
        /// With as many open files as allowed, or so many.
        fn start(provider: &Provider, files: Option<usize>) -> Self {
            let dir = tempfile::tempdir().unwrap();
            fs::create_dir(dir.path().join("config")).unwrap();
            fs::write(dir.path().join("config/config.yaml"), chain_of(&[("a", provider)])).unwrap();
            let running = Running::start(match files {
                None => command(dir.path(), &[]),
                Some(files) => {
                    let mut shell = Command::new("sh");
                    let script = format!(r#"ulimit -n {files} && exec "$0""#);
                    shell.args(["-c", &script, env!("CARGO_BIN_EXE_429chain")]).current_dir(dir.path());
                    shell
                }
            });
            let address = running.url.strip_prefix("http://").unwrap().parse().unwrap();
            Self { running, address, _dir: dir }
        }

        fn open_files(&self) -> usize {
            fs::read_dir(format!("/proc/{}/fd", self.running.child.id())).unwrap().count()
        }

        /// Looks until so many files are open; nothing outside of that process tells when.
        async fn until(&self, reached: impl Fn(usize) -> bool) {
            let looking = async {
                while !reached(self.open_files()) {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            };
            let in_time = tokio::time::timeout(Duration::from_secs(30), looking).await.is_ok();
            assert!(in_time, "{} files are open", self.open_files());
        }

        async fn chat(&self) -> u16 {
            let mut wire = Wire::at(self.address).await;
            assert!(wire.send(post("connection: close\r\n", ask(""))).await);
            wire.answer().await.unwrap().status()
        }
    }

    /// A client that wants nothing for now: it has had an answer, or has sent half a head, or nothing at all.
    async fn idle(address: SocketAddr, number: usize) -> (bool, Wire) {
        let mut wire = Wire::at(address).await;
        let kept = match number % 10 {
            0 => false,
            1 => {
                assert!(wire.send(&head("")[..60]).await);
                false
            }
            _ => {
                assert!(wire.send(get("/v1/models")).await);
                assert_eq!(wire.answer().await.unwrap().status(), 200);
                true
            }
        };
        (kept, wire)
    }

    #[actix_rt::test]
    async fn ten_thousand_idle_connections_disturb_nobody() {
        let files = rlimit::increase_nofile_limit(u64::MAX).unwrap();
        let crowd = usize::try_from(files / 4 * 3).unwrap().saturating_sub(200).min(10_000);
        let provider = healthy().await;
        let site = Site::start(&provider, None);
        // All is open that is opened at the start and by the first call.
        assert_eq!(site.chat().await, 200);
        let before = site.open_files();

        let (mut kept, mut others) = (Vec::new(), Vec::new());
        for batch in 0..crowd / 100 {
            let opening: Vec<_> =
                (batch * 100..batch * 100 + 100).map(|number| actix_rt::spawn(idle(site.address, number))).collect();
            for opened in opening {
                match opened.await.unwrap() {
                    (true, wire) => kept.push(wire),
                    (false, wire) => others.push(wire),
                }
            }
            if batch % 10 == 0 {
                assert_eq!(site.chat().await, 200, "{} clients are there", kept.len() + others.len());
            }
        }
        // Those that are not in the middle of a head are kept for more than a minute.
        assert!(site.open_files() > before + kept.len(), "{} clients, {} files", kept.len(), site.open_files());
        for wire in kept.iter_mut().step_by(100) {
            assert!(wire.send(get("/v1/models")).await);
            assert_eq!(wire.answer().await.unwrap().status(), 200);
            assert_eq!(site.chat().await, 200);
        }

        drop((kept, others));
        site.until(|open| open <= before + 4).await;
        assert_eq!(site.chat().await, 200);
        assert_eq!(site.running.end("-TERM").0, Some(0));
    }

    /// Clients may not take the files that calls to providers need. Those who find no room wait at the door.
    #[actix_rt::test]
    async fn a_full_house_serves_those_who_are_in_and_then_the_others() {
        let provider = healthy().await;
        let site = Site::start(&provider, Some(128));
        let mut early = Wire::at(site.address).await;
        assert!(early.send(get("/v1/models")).await);
        assert_eq!(early.answer().await.unwrap().status(), 200);
        let before = site.open_files();
        let mut crowd = Vec::new();
        for _ in 0..200 {
            crowd.push(Wire::at(site.address).await);
        }
        site.until(|open| open >= before + 50).await;
        assert_eq!(provider.connections(), 0);
        assert!(early.send(post("", ask(""))).await);
        let answer = early.answer().await.unwrap();
        assert_eq!(answer.status(), 200, "{}", answer.text());
        assert_eq!(provider.connections(), 1);

        drop(crowd);
        assert_eq!(site.chat().await, 200);
        let (code, log) = site.running.end("-TERM");
        assert!(code == Some(0) && !log.contains("Too many open files"), "{log}");
    }
}
