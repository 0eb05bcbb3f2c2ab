//! What a call asks of models: what it costs, what it is told, what is kept.

use std::{
    collections::VecDeque,
    sync::{Arc, LazyLock, Mutex},
};

use async_trait::async_trait;
use serde_json::{Value, json};
use tollgate_core::{
    Microcents, Timestamp,
    model::{PinnedModel, TokenPrice},
    step::{FailureClass, Fault, StepOutcome},
};
use tollgate_sandbox::{
    CallJournal, CallModels, CallReport, Interrupted,
    port::{Completion, Journal, Later, Model, ModelRequest, Role, Tokens},
};

use crate::{
    components::built,
    journal::Kept,
    support::{Component, SANDBOX, Try, failure},
};

static MODEL_STAGE: LazyLock<Component> = LazyLock::new(|| built("model-stage"));

/// A million tokens read cost a cent, a million written ten.
const PRICE: TokenPrice =
    TokenPrice { input_per_million: Microcents(1_000_000), output_per_million: Microcents(10_000_000) };

/// The tokens that a request may take beyond its bytes and its reply.
const OVERHEAD: u64 = 1_024 + 64;

/// Models that do what they are told, in order.
#[derive(Default)]
struct Scripted {
    script: Mutex<VecDeque<Result<Completion, Later>>>,
    asked: Mutex<Vec<ModelRequest>>,
}

#[async_trait]
impl Model for Scripted {
    async fn complete(&self, request: &ModelRequest) -> Result<Completion, Later> {
        self.asked.lock().unwrap().push(request.clone());
        self.script.lock().unwrap().pop_front().expect("a test says what models do")
    }
}

/// A stage that asks models, and all that came of it.
struct Bench {
    models: Arc<Scripted>,
    kept: Arc<Kept>,
    attempt: Try,
}

impl Bench {
    /// A stage that asks these things of models that do these.
    fn new(asks: Value, script: impl IntoIterator<Item = Result<Completion, Later>>) -> Self {
        let models =
            Arc::new(Scripted { script: Mutex::new(script.into_iter().collect()), ..Scripted::default() });
        let mut attempt = Try::stage(&MODEL_STAGE, json!({ "asks": asks })).granted("model:deep");
        let pinned = |model: &str| PinnedModel { model: model.into(), price: PRICE, max_tokens: 500 };
        attempt.models = CallModels {
            granted: vec![("deep".into(), pinned("deep-1")), ("fast".into(), pinned("fast-1"))],
            port: Arc::clone(&models) as Arc<dyn Model>,
        };
        Self { models, kept: Arc::default(), attempt }
    }

    async fn call(&self) -> Result<CallReport, Interrupted> {
        let recorded = self.kept.entries.lock().unwrap().clone();
        let journal = CallJournal { recorded, port: Arc::clone(&self.kept) as Arc<dyn Journal> };
        self.attempt.with_journal(&SANDBOX, journal).await
    }

    /// What the guest was told, after checking that it is told the same, at the same price, from its journal alone.
    async fn told(&self) -> Value {
        let report = self.call().await.unwrap();
        let asked = self.models.asked.lock().unwrap().len();
        assert_eq!(self.call().await.unwrap(), report, "fed");
        assert_eq!(self.models.asked.lock().unwrap().len(), asked, "nothing is asked twice");
        match report.outcome {
            StepOutcome::Produced(produced) => produced.data["told"].clone(),
            other => panic!("{other:?}"),
        }
    }

    /// What each request may have cost and did cost.
    fn money(&self) -> Vec<(u64, u64)> {
        let entries = self.kept.entries.lock().unwrap();
        entries.iter().map(|e| (e.intent.reserved.0, e.answer.as_ref().unwrap().cost.0)).collect()
    }
}

fn reply(content: &str, input: u64, output: u64) -> Result<Completion, Later> {
    let tokens = Tokens { input, output };
    Ok(Completion::Reply { content: content.into(), model: "deep-1-2026".into(), tokens })
}

fn lost() -> Result<Completion, Later> {
    Ok(Completion::Lost { reason: "the line broke".into() })
}

/// The code and message with which a single request ends.
async fn error(ask: Value, script: impl IntoIterator<Item = Result<Completion, Later>>) -> (String, String) {
    let told = Bench::new(json!([ask]), script).told().await;
    let text = |key: &str| told[0][key].as_str().unwrap_or_else(|| panic!("{told}")).to_owned();
    (text("code"), text("message"))
}

#[tokio::test]
async fn a_reply_is_charged_by_its_count_and_reserved_at_its_largest() {
    let bench = Bench::new(json!([{ "text": "Hello", "max-tokens": 50 }]), [reply("Hi", 12, 7)]);
    let told = bench.told().await;
    assert_eq!(
        told[0],
        json!({
            "content": "Hi", "model": "deep-1-2026", "input_tokens": 12, "output_tokens": 7, "microcents": 12 + 70,
        })
    );
    assert_eq!(bench.money(), [(OVERHEAD + 5 + 500, 12 + 70)]);
    let usage = bench.call().await.unwrap().usage;
    assert_eq!((usage.input_tokens, usage.output_tokens), (12, 7));
    let [request] = bench.models.asked.lock().unwrap().clone().try_into().unwrap();
    assert_eq!((request.name.as_str(), request.model.as_str(), request.max_tokens), ("deep", "deep-1", 50));
}

#[tokio::test]
async fn a_model_is_asked_by_its_name_and_not_for_more_than_the_project_says() {
    let bench = Bench::new(json!([{ "model": "fast", "max-tokens": 9_000 }]), [reply("Hi", 1, 1)]);
    bench.told().await;
    let [request] = bench.models.asked.lock().unwrap().clone().try_into().unwrap();
    assert_eq!((request.model.as_str(), request.max_tokens), ("fast-1", 500));
}

#[tokio::test]
async fn a_reply_that_does_not_fit_is_asked_for_once_more() {
    let schema = json!({ "type": "object", "required": ["n"], "properties": { "n": { "type": "integer" } } });
    let ask = json!({ "text": "A number", "schema": schema });
    let bench = Bench::new(json!([ask]), [reply("one", 10, 1), reply("```json\n{\"n\": 1}\n```", 20, 2)]);
    let told = bench.told().await;
    assert_eq!(told[0]["content"], r#"{"n": 1}"#);
    assert_eq!(told[0]["input_tokens"], 30);
    assert_eq!(told[0]["microcents"], 30 + 30);
    let requests = bench.models.asked.lock().unwrap().clone();
    assert_eq!(requests[0].messages[0].role, Role::System);
    assert!(requests[0].messages[0].content.contains(r#""required":["n"]"#));
    let said: Vec<_> = requests[1].messages[2..].iter().map(|m| (m.role, m.content.as_str())).collect();
    assert_eq!(said[0], (Role::Assistant, "one"));
    assert!(said[1].1.contains("the reply is no JSON"), "{said:?}");

    let (code, message) = error(ask, [reply("one", 10, 1), reply("{\"n\": \"two\"}", 20, 2)]).await;
    assert_eq!(code, "invalid");
    insta::assert_snapshot!(message, @r#"`deep` was asked twice and does not satisfy the schema: /n: "two" is not of type "integer""#);
}

#[tokio::test]
async fn what_is_lost_is_charged_at_its_largest_and_asked_again() {
    let unreachable = Ok(Completion::Unreachable { reason: "nobody is there".into() });
    let bench = Bench::new(json!([{ "max-tokens": 50 }]), [lost(), unreachable, reply("Hi", 12, 7)]);
    let told = bench.told().await;
    let largest = OVERHEAD + 5 + 500;
    assert_eq!(bench.money(), [(largest, largest), (largest, 0), (largest, 12 + 70)]);
    assert_eq!(told[0]["microcents"], largest + 12 + 70);
    let usage = bench.call().await.unwrap().usage;
    assert_eq!((usage.input_tokens, usage.output_tokens), (OVERHEAD + 5 + 12, 50 + 7));
}

#[tokio::test]
async fn a_model_that_does_not_answer_is_no_fault_of_the_guest() {
    let bench = Bench::new(json!([{}]), [lost(), lost(), lost()]);
    let found = failure(bench.call().await.unwrap());
    assert_eq!((found.fault, found.class), (Fault::Platform, FailureClass::Infrastructure));
    insta::assert_snapshot!(found.message, @"the model `deep` was asked 3 times and did not answer: the line broke");
    let misconfigured = Ok(Completion::Misconfigured { reason: "the key is wrong".into() });
    let found = failure(Bench::new(json!([{}]), [misconfigured]).call().await.unwrap());
    assert_eq!((found.fault, found.class), (Fault::Platform, FailureClass::Configuration));
    assert_eq!(found.message, "the key is wrong");
}

#[tokio::test]
async fn a_model_that_answers_later_is_asked_later() {
    let later = Later { at: Timestamp::from_millis(5_000), reason: "it is busy".into() };
    let script = [reply("Hi", 1, 1), Err(later.clone()), reply("Hi again", 1, 1)];
    let bench = Bench::new(json!([{}, {}]), script);
    assert_eq!(bench.call().await, Err(Interrupted::AskLater));
    assert_eq!(*bench.kept.withdrawn.lock().unwrap(), [later]);
    assert_eq!(bench.kept.entries.lock().unwrap().len(), 1, "what was answered is kept");
    let told = bench.told().await;
    assert_eq!((&told[0]["content"], &told[1]["content"]), (&json!("Hi"), &json!("Hi again")));
    assert_eq!(bench.models.asked.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn what_cannot_be_asked_is_said_and_costs_nothing() {
    for (ask, code, message) in [
        (json!({ "model": "dear" }), "denied", "the model `dear` was not granted; granted: `deep`, `fast`"),
        (json!({ "max-tokens": 0 }), "invalid", "`max-tokens` is 0, and a reply of no tokens says nothing"),
        (json!({ "temperature": 2.5 }), "invalid", "the temperature is 2.5, which is not from 0 to 2"),
        (json!({ "text": " " }), "invalid", "a message is empty"),
    ] {
        assert_eq!(error(ask, []).await, (code.to_owned(), message.to_owned()));
    }
    let (code, message) = error(json!({ "schema": { "type": "nothing" } }), []).await;
    assert_eq!(code, "invalid");
    assert!(message.starts_with("the schema is no JSON Schema"), "{message}");
    let refused = Ok(Completion::Refused { tokens: Tokens { input: 3, output: 0 } });
    let expected = ("refused".to_owned(), "`deep` refuses to answer this".to_owned());
    assert_eq!(error(json!({}), [refused]).await, expected);
    let invalid = Ok(Completion::Invalid { reason: "it is too long".into() });
    assert_eq!(error(json!({}), [invalid]).await, ("invalid".to_owned(), "it is too long".to_owned()));
}

#[tokio::test]
async fn tokens_and_requests_have_limits() {
    let mut bench = Bench::new(json!([{ "max-tokens": 50 }, { "max-tokens": 50 }]), [reply("Hi", 12, 7)]);
    bench.attempt.budget.tokens = Some(OVERHEAD + 5 + 50);
    let told = bench.told().await;
    assert_eq!(told[0]["content"], "Hi");
    assert_eq!(told[1]["code"], "denied");
    insta::assert_snapshot!(told[1]["message"].as_str().unwrap(), @"the request may take up to 1143 tokens; the stage may use 1143, and has used 19");

    let asks = vec![json!({}); 101];
    let bench = Bench::new(json!(asks), (0..100).map(|_| reply("Hi", 1, 1)));
    let told = bench.told().await;
    assert_eq!(told[99]["content"], "Hi");
    assert_eq!(told[100]["message"], "a call may make 100 requests to models, and has");
}

#[tokio::test]
async fn a_component_that_asks_models_is_not_loaded_without_the_grant() {
    let error = MODEL_STAGE.prepare(&SANDBOX, &[]).await.err().expect("it is refused");
    insta::assert_snapshot!(error, @r#"the component imports `tollgate:plugin/model@0.1.0`, which it was not granted; it needs `grant = ["model"]` in its stage"#);
    assert!(MODEL_STAGE.prepare(&SANDBOX, &["model-of-cars"]).await.is_err());
    assert!(MODEL_STAGE.prepare(&SANDBOX, &["model"]).await.is_ok());
}

#[tokio::test]
async fn a_component_that_can_do_without_a_model_is_told_so_and_stays_reproducible() {
    let mut bench = Bench::new(json!([{}]), []);
    bench.attempt.grants.clear();
    bench.attempt.optional = vec!["model"];
    bench.attempt.models.granted.clear();
    assert_eq!(bench.told().await[0], json!({ "code": "not-granted", "message": "no model was granted" }));
    assert!(bench.call().await.unwrap().recomputable && bench.kept.entries.lock().unwrap().is_empty());

    let mut granted = Bench::new(json!([{}]), [reply("Hi", 1, 1)]);
    granted.attempt.optional = vec!["model"];
    assert_eq!(granted.told().await[0]["content"], "Hi");
    assert!(!granted.call().await.unwrap().recomputable);
}
