//! What providers do instead of answering, and what it is taken for.

use std::time::Duration;

use serde_json::json;
use tollgate_core::model::Provider as Kind;
use tollgate_model::AskError;

use crate::{
    provider::{Act, Provider},
    support::{KEY, KINDS, ask, ask_one_that, models},
};

/// The error that comes of this, whichever way the provider speaks.
async fn error(act: Act) -> AskError {
    let [first, second] = KINDS.map(|kind| ask_one_that(kind, act.clone()));
    let (first, second) = (first.await.expect_err("no answer"), second.await.expect_err("no answer"));
    assert_eq!(first, second);
    first
}

#[tokio::test]
async fn what_may_have_been_worked_on_is_lost() {
    let half = json!({ "content": "an answer that goes on and on" }).to_string();
    for (act, words) in [
        (Act::status(500), "the provider of `deep` answered with status 500"),
        (Act::status(502), "the provider of `deep` answered with status 502"),
        (Act::status(503), "the provider of `deep` answered with status 503"),
        (Act::status(408), "the provider of `deep` answered with status 408"),
        (Act::Cut { body: half }, "the provider of `deep` broke off in the middle of its answer"),
        (Act::HangUp, "the provider of `deep` hung up without an answer"),
        (Act::Silence, "the provider of `deep` has not answered within 0.7 s"),
        (Act::body("<html>"), "the provider of `deep` answered with something that is no JSON"),
        (
            Act::body("{}"),
            "the provider of `deep` answered without a count of tokens, so the answer has no price",
        ),
        (
            Act::body(json!({ "usage": {
                "input_tokens": 1, "output_tokens": 1, "prompt_tokens": 1, "completion_tokens": 1,
            } })),
            "the provider of `deep` answered without a text",
        ),
    ] {
        let error = error(act).await;
        assert_eq!(error.to_string(), words);
        assert!(matches!(error, AskError::Lost { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn what_was_never_received_is_not_lost() {
    // A port on which nobody listens: that of a listener that is gone.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let error = ask(&models(Kind::Anthropic, &url)).await.expect_err("nobody is there");
    assert_eq!(error, AskError::Unreachable { model: "deep".into() });
}

#[tokio::test]
async fn what_only_the_project_can_mend_is_said_to_it() {
    for (act, words) in [
        (
            Act::status(401),
            "the model `deep` cannot be asked: its provider does not accept the key (status 401); look at `key` in [model.deep]",
        ),
        (
            Act::status(404),
            "the model `deep` cannot be asked: its provider does not know it (status 404); look at `model` and `base_url` in [model.deep]",
        ),
        (
            Act::Respond {
                status: 429,
                headers: vec![],
                body: r#"{"error": {"code": "insufficient_quota"}}"#.into(),
            },
            "the model `deep` cannot be asked: its provider says that the account has no money left",
        ),
    ] {
        let error = error(act).await;
        assert_eq!(error.to_string(), words);
        assert!(matches!(error, AskError::Misconfigured { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_key_is_not_carried_elsewhere_and_what_repeats_it_is_not_repeated() {
    let elsewhere = Provider::that([]);
    let headers = vec![("location", elsewhere.url())];
    let moved = error(Act::Respond { status: 307, headers, body: String::new() }).await;
    assert!(matches!(moved, AskError::Misconfigured { .. }), "{moved:?}");
    assert_eq!(elsewhere.received().len(), 0);
    // As providers do that want to be of help.
    let body = json!({ "error": { "message": format!("Incorrect API key provided: {KEY}") } }).to_string();
    for status in [400, 401, 500] {
        // That the key is not in the error is checked wherever something is asked.
        error(Act::Respond { status, headers: vec![], body: body.clone() }).await;
    }
}

#[tokio::test]
async fn a_request_that_is_not_taken_is_rejected() {
    for status in [400, 413, 422] {
        assert_eq!(error(Act::status(status)).await, AskError::Rejected { model: "deep".into(), status });
    }
}

#[tokio::test]
async fn a_provider_that_asks_for_it_is_left_alone_by_all() {
    for kind in KINDS {
        let provider = Provider::that([Act::retry_after(429, "600"), Act::anthropic("no", 1, 1)]);
        let models = models(kind, &provider.url());
        let wait = |error| match error {
            AskError::RateLimited { wait, .. } => wait,
            other => panic!("{other:?}"),
        };
        assert_eq!(wait(ask(&models).await.expect_err("it is limited")), Duration::from_secs(600));
        let next = wait(ask(&models).await.expect_err("it is limited still"));
        assert!(next > Duration::from_secs(590) && next <= Duration::from_secs(600), "{next:?}");
        assert_eq!(provider.received().len(), 1, "it was not asked again");
    }
}

#[tokio::test]
async fn a_limit_is_known_by_its_status_and_need_not_name_a_time() {
    for (act, seconds) in [
        (Act::status(429), 10),
        (Act::status(529), 10),
        (Act::retry_after(529, "3"), 3),
        (Act::retry_after(503, "4"), 4),
        (Act::retry_after(429, "in a while"), 10),
    ] {
        let wait = Duration::from_secs(seconds);
        assert_eq!(error(act).await, AskError::RateLimited { model: "deep".into(), wait });
    }
}

#[tokio::test]
async fn after_its_wait_a_provider_is_asked_again() {
    let provider = Provider::that([Act::retry_after(429, "0"), Act::openai("Here.", 1, 1)]);
    let models = models(Kind::OpenAi, &provider.url());
    ask(&models).await.expect_err("it is limited");
    ask(&models).await.expect("the wait is over");
}

#[tokio::test]
async fn what_is_not_open_cannot_be_asked() {
    let none = models(Kind::OpenAi, "http://127.0.0.1:1");
    let error = none.ask("other", &crate::support::request()).await.expect_err("there is none");
    assert_eq!(
        error.to_string(),
        "the model `other` cannot be asked: no pipeline in use is granted it any more"
    );
}
