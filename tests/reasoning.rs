//! `normalizeResponses`: clients that know nothing of reasoning see it as the beginning of the answer.

use crate::support::app::{App, ask, chain_of, config_of};
use crate::support::provider::{Answer, DONE, Provider, STOP, delta};

const WHOLE: &str = r#"{"id":"x","choices":[{"index":0,"message":{"role":"assistant","reasoning_content":"Hm.","content":"Four."},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#;

fn thought(text: &str) -> String {
    delta(text).replace("content", "reasoning_content")
}

/// Whatever way its stream is cut into packets.
async fn thinker(cut: usize) -> Provider {
    Provider::with(move |request, _| {
        if !request.text().contains(r#""stream":true"#) {
            return Answer::json(200, &[], WHOLE);
        }
        let text = [thought("H"), thought("m."), delta("Four"), delta("."), STOP.to_owned(), DONE.to_owned()].concat();
        text.as_bytes().chunks(cut).fold(Answer::stream(), |answer, part| answer.part_of(part)).end()
    })
    .await
}

#[actix_rt::test]
async fn reasoning_becomes_the_beginning_of_the_content() {
    for cut in [1, 7, 50, 1_000] {
        let provider = thinker(cut).await;
        let app = App::start(&config_of("  normalizeResponses: true\n", &[("a", &provider)], "")).await;
        let streamed = app.chat(ask(r#","stream":true"#)).await.text();
        let expected = [delta("H"), delta("m."), delta(r"\n\nFour"), delta("."), STOP.into(), DONE.into()].concat();
        assert_eq!(streamed, expected, "in pieces of {cut}");
        let whole = app.chat(ask("")).await.text();
        assert_eq!(
            whole,
            WHOLE.replace(r#""reasoning_content":"Hm.","content":"Four.""#, r#""content":"Hm.\n\nFour.""#)
        );
        app.stop().await;
    }
}

#[actix_rt::test]
async fn reasoning_stays_where_it_is_unless_asked_otherwise() {
    let provider = thinker(1_000).await;
    let app = App::start(&chain_of(&[("a", &provider)])).await;
    assert!(app.chat(ask(r#","stream":true"#)).await.text().starts_with(&thought("H")));
    assert_eq!(app.chat(ask("")).await.text(), WHOLE);
    app.stop().await;
}
