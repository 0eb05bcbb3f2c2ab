//! What a call asks of its capabilities is asked once, however often the attempt is called, and being told again costs what
//! being told costs.

use std::sync::{Arc, LazyLock, Mutex};

use async_trait::async_trait;
use proptest::prelude::*;
use serde_json::{Value, json};
use tollgate_core::{
    Digest, Microcents,
    journal::{Answer, CallClass, Intent, JournalEntry},
    step::{FailureClass, Fault, StepOutcome},
};
use tollgate_sandbox::{
    CallJournal, CallReport, Interrupted, Sandbox, SandboxOptions,
    port::{Extension, Journal, Later},
};

use crate::{
    components::{HOSTILE_STAGE, built},
    probe::Probe,
    support::{Component, Try, failure},
};

static PROBE_STAGE: LazyLock<Component> = LazyLock::new(|| built("probe-stage"));

/// A sandbox with a probe.
struct Bench {
    probe: Arc<Probe>,
    sandbox: Sandbox,
}

static BENCH: LazyLock<Bench> = LazyLock::new(Bench::new);

impl Bench {
    fn new() -> Self {
        let probe = Arc::new(Probe::new());
        let extensions = vec![Arc::clone(&probe) as Arc<dyn Extension>];
        let sandbox = Sandbox::new(SandboxOptions { extensions, ..SandboxOptions::default() }).unwrap();
        Self { probe, sandbox }
    }

    /// The calls that `attempt` really makes while it is called with this journal, and its report.
    async fn call(&self, attempt: &Try, kept: &Arc<Kept>) -> Result<CallReport, Interrupted> {
        kept.asked.lock().unwrap().clear();
        let recorded = kept.entries.lock().unwrap().clone();
        let journal = CallJournal { recorded, port: Arc::clone(kept) as Arc<dyn Journal> };
        attempt.with_journal(&self.sandbox, journal).await
    }
}

/// A journal in memory, which kills the call at a place when it is told to.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) entries: Mutex<Vec<JournalEntry>>,
    kill: Mutex<Option<Kill>>,
    /// What was asked in this call, fed answers apart.
    asked: Mutex<Vec<u32>>,
    /// What has to be asked later.
    pub(crate) withdrawn: Mutex<Vec<Later>>,
}

/// Where a call is killed.
#[derive(Debug, Clone, Copy)]
struct Kill {
    call: u32,
    moment: Moment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// Before the intent is durable.
    BeforeIntent,
    /// When the intent is durable and nothing was asked yet.
    AfterIntent,
    /// When it was asked and the answer is not durable.
    BeforeAnswer,
    /// When the answer is durable and the guest does not know it.
    AfterAnswer,
}

impl Kept {
    fn killed_at(&self, call: u32, moment: Moment) -> Result<(), Interrupted> {
        let mut kill = self.kill.lock().unwrap();
        match *kill {
            Some(at) if (at.call, at.moment) == (call, moment) => {
                *kill = None;
                Err(Interrupted::LeaseLost)
            }
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Journal for Kept {
    async fn intend(&self, call: u32, intent: &Intent) -> Result<(), Interrupted> {
        self.killed_at(call, Moment::BeforeIntent)?;
        let mut entries = self.entries.lock().unwrap();
        let entry = JournalEntry { intent: intent.clone(), answer: None };
        match entries.get(call as usize) {
            Some(before) => {
                assert_eq!(*before, entry, "an intent comes again as it was, and only without answer")
            }
            None => {
                assert_eq!(entries.len(), call as usize, "places have no gaps");
                entries.push(entry);
            }
        }
        drop(entries);
        self.asked.lock().unwrap().push(call);
        self.killed_at(call, Moment::AfterIntent)
    }

    async fn answer(&self, call: u32, answer: &Answer) -> Result<(), Interrupted> {
        self.killed_at(call, Moment::BeforeAnswer)?;
        self.entries.lock().unwrap()[call as usize].answer = Some(answer.clone());
        self.killed_at(call, Moment::AfterAnswer)
    }

    async fn withdraw(&self, call: u32, later: &Later) -> Result<(), Interrupted> {
        let last = self.entries.lock().unwrap().pop().expect("an intent is taken back");
        assert_eq!((self.entries.lock().unwrap().len(), last.answer), (call as usize, None));
        self.withdrawn.lock().unwrap().push(later.clone());
        Ok(())
    }
}

fn asking(settings: Value) -> Try {
    Try::stage(&PROBE_STAGE, settings).granted("probe")
}

fn moments() -> impl Strategy<Value = Vec<Kill>> {
    let moment = prop_oneof![
        Just(Moment::BeforeIntent),
        Just(Moment::AfterIntent),
        Just(Moment::BeforeAnswer),
        Just(Moment::AfterAnswer),
    ];
    proptest::collection::vec((0..6u32, moment).prop_map(|(call, moment)| Kill { call, moment }), 0..5)
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// A guest that goes by the fuel it has left ends the same way and burns the same, wherever it was killed before.
    #[test]
    fn an_attempt_that_was_killed_anywhere_ends_as_if_it_had_not_been(
        times in 1..6u64, burn in 0..50_000u64, kills in moments(),
    ) {
        run(async {
            let attempt = asking(json!({ "asks": ["repeatable", "keyed"], "times": times, "burn": burn, "burn-after": 2 }));
            let whole = Arc::new(Kept::default());
            let expected = BENCH.call(&attempt, &whole).await.unwrap();
            assert!(matches!(expected.outcome, StepOutcome::Produced(_)), "{:?}", expected.outcome);
            assert!(!expected.recomputable && expected.fuel_exact);

            let killed = Arc::new(Kept::default());
            for kill in kills {
                *killed.kill.lock().unwrap() = Some(kill);
                match BENCH.call(&attempt, &killed).await {
                    Err(Interrupted::LeaseLost) => {}
                    ended => assert_eq!(ended.as_ref(), Ok(&expected), "it was not killed"),
                }
            }
            *killed.kill.lock().unwrap() = None;
            assert_eq!(BENCH.call(&attempt, &killed).await.unwrap(), expected);
            assert_eq!(*killed.entries.lock().unwrap(), *whole.entries.lock().unwrap());
            // By now everything is recorded, and nothing is asked any more.
            assert_eq!(BENCH.call(&attempt, &killed).await.unwrap(), expected);
            assert_eq!(*killed.asked.lock().unwrap(), [] as [u32; 0]);
        });
    }

    /// A guest that ran out of fuel and is given more goes the way it went, to the unit, and then on.
    #[test]
    fn more_fuel_leads_no_attempt_another_way(
        times in 1..6u64, burn in 0..50_000u64, first in 30_000..120_000u64, more in 20_000..400_000u64,
    ) {
        run(async {
            let settings = json!({ "asks": ["repeatable", "keyed", "unsafe"], "times": times, "burn": burn, "burn-after": 1 });
            let kept = Arc::new(Kept::default());
            let mut attempt = asking(settings).fuel(first);
            let mut earlier = Vec::new();
            loop {
                attempt.earlier_fuel_limits = earlier.clone();
                let before = kept.entries.lock().unwrap().clone();
                let report = BENCH.call(&attempt, &kept).await.unwrap();
                let after = kept.entries.lock().unwrap().clone();
                assert!(after.starts_with(&before), "it asked something else");
                match report.outcome {
                    StepOutcome::Produced(_) => {
                        // Called once more, now from its journal alone.
                        assert_eq!(BENCH.call(&attempt, &kept).await.unwrap(), report);
                        return;
                    }
                    StepOutcome::Failed(failure) if failure.fault == Fault::OutOfFuel => {
                        assert_eq!(report.usage.fuel, attempt.budget.fuel);
                    }
                    other => panic!("{other:?}"),
                }
                earlier.push(attempt.budget.fuel);
                attempt.budget.fuel += more;
            }
        });
    }
}

/// Entries as a broken disk or another program could leave them.
fn entries() -> impl Strategy<Value = Vec<JournalEntry>> {
    let function = prop_oneof![
        Just("test:probe/probe.repeatable".to_owned()),
        Just("test:probe/probe.keyed".to_owned()),
        Just("test:probe/probe.unsafe".to_owned()),
        "\\PC{0,20}",
    ];
    let class = prop_oneof![Just(CallClass::Repeatable), Just(CallClass::Keyed), Just(CallClass::Unsafe)];
    let body = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        Just(json!({ "ok": { "answer": [1, 2] } })),
    ];
    let answer = proptest::option::of((body, any::<u64>().prop_map(Microcents)));
    let entry =
        (function, 0..3_u8, class, answer).prop_map(|(function, request, class, answer)| JournalEntry {
            intent: Intent { function, request: Digest::of([request]), reserved: Microcents(1), class },
            answer: answer.map(|(body, cost)| Answer { body, cost }),
        });
    proptest::collection::vec(entry, 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever stands in a journal, the attempt ends: with a result only where the guest asked what stands there.
    #[test]
    fn no_journal_makes_a_call_panic_or_hang(entries in entries(), genuine in any::<bool>()) {
        run(async {
            let attempt = asking(json!({ "asks": ["repeatable", "keyed"], "times": 3 }));
            let whole = recorded(&attempt).await;
            let mut journal = if genuine { whole[..1].to_vec() } else { Vec::new() };
            journal.extend(entries);
            let kept = Arc::new(Kept { entries: Mutex::new(journal.clone()), ..Kept::default() });
            let report = BENCH.call(&attempt, &kept).await.unwrap();
            let after = kept.entries.lock().unwrap().clone();
            assert!(after.len() >= journal.len(), "nothing of a journal is lost");
            if let StepOutcome::Produced(_) = report.outcome {
                let is_same = |(one, other): (&JournalEntry, &JournalEntry)| one.intent.is_same_request(&other.intent);
                assert!(after.len() == whole.len() && after.iter().zip(&whole).all(is_same), "{after:?}");
            }
        });
    }
}

/// The report of an attempt that is fed these entries.
async fn fed(attempt: &Try, entries: Vec<JournalEntry>) -> CallReport {
    let kept = Arc::new(Kept { entries: Mutex::new(entries), ..Kept::default() });
    BENCH.call(attempt, &kept).await.unwrap()
}

async fn recorded(attempt: &Try) -> Vec<JournalEntry> {
    let kept = Arc::new(Kept::default());
    BENCH.call(attempt, &kept).await.unwrap();
    std::mem::take(&mut *kept.entries.lock().unwrap())
}

#[tokio::test]
async fn an_attempt_that_asks_something_else_diverges() {
    let attempt = asking(json!({ "asks": ["keyed"], "times": 2 }));
    let entries = recorded(&attempt).await;

    let mut other_request = entries.clone();
    other_request[1].intent.request = Digest::of("something else");
    let report = fed(&attempt, other_request).await;
    assert!(!report.recomputable);
    let found = failure(report);
    assert_eq!((found.fault, found.class), (Fault::Diverged, FailureClass::Escalate));
    insta::assert_snapshot!(found.message, @"the plugin was called again and passed `test:probe/probe.keyed` something else than before, in call 2 of its journal");

    let mut other_function = entries.clone();
    other_function[0].intent.function = "test:probe/probe.unsafe".into();
    insta::assert_snapshot!(failure(fed(&attempt, other_function).await).message, @"the plugin was called again and asked `test:probe/probe.keyed` where it asked `test:probe/probe.unsafe` before, in call 1 of its journal");

    let mut more = entries.clone();
    more.push(entries[0].clone());
    insta::assert_snapshot!(failure(fed(&attempt, more).await).message, @"the plugin was called again and returned after 2 of the 3 calls of its journal");
}

#[tokio::test]
async fn what_became_of_a_lost_answer_goes_by_class() {
    let bench = Bench::new();
    for (function, class) in [("repeatable", CallClass::Repeatable), ("keyed", CallClass::Keyed)] {
        let attempt = asking(json!({ "asks": [function] }));
        let kept = Arc::new(Kept::default());
        *kept.kill.lock().unwrap() = Some(Kill { call: 0, moment: Moment::BeforeAnswer });
        assert_eq!(bench.call(&attempt, &kept).await, Err(Interrupted::LeaseLost));
        bench.call(&attempt, &kept).await.unwrap();
        assert_eq!(kept.entries.lock().unwrap()[0].intent.class, class);
    }
    let made = bench.probe.made();
    let made: Vec<_> = made.iter().map(|made| (made.function.as_str(), made.key.as_str())).collect();
    assert_eq!(made.len(), 4);
    assert_eq!(made[0], made[1]);
    assert_eq!(made[2], made[3], "the same key");

    let attempt = asking(json!({ "asks": ["unsafe"] }));
    let kept = Arc::new(Kept::default());
    *kept.kill.lock().unwrap() = Some(Kill { call: 0, moment: Moment::AfterIntent });
    assert_eq!(bench.call(&attempt, &kept).await, Err(Interrupted::LeaseLost));
    let found = failure(bench.call(&attempt, &kept).await.unwrap());
    assert_eq!((found.fault, found.class), (Fault::Ambiguous, FailureClass::Escalate));
    insta::assert_snapshot!(found.message, @"`test:probe/probe.unsafe` was asked and its answer was lost, in call 1 of the journal: it may have happened or not, and asking again could make it happen twice");
    assert_eq!(bench.probe.made().len(), 4, "nobody asked again");
}

#[tokio::test]
async fn a_key_is_of_one_call_of_one_attempt() {
    let bench = Bench::new();
    let mut attempt = asking(json!({ "asks": ["keyed"], "times": 3 }));
    bench.call(&attempt, &Arc::default()).await.unwrap();
    attempt.input.step.attempt += 1;
    bench.call(&attempt, &Arc::default()).await.unwrap();
    attempt.input.run = tollgate_core::RunId::generate();
    bench.call(&attempt, &Arc::default()).await.unwrap();
    let keys: std::collections::BTreeSet<_> = bench.probe.made().into_iter().map(|made| made.key).collect();
    assert_eq!(keys.len(), 9);
}

#[tokio::test]
async fn a_capability_is_there_for_who_was_granted_it() {
    let error = PROBE_STAGE.prepare(&BENCH.sandbox, &[]).await.map(|ready| ready.digest()).unwrap_err();
    insta::assert_snapshot!(error, @r#"the component imports `test:probe/probe@0.1.0`, which it was not granted; it needs `grant = ["probe"]` in its stage"#);
    assert!(PROBE_STAGE.prepare(&BENCH.sandbox, &["probe"]).await.unwrap().needs_journal());
    // Granted once is not granted for ever.
    assert!(PROBE_STAGE.prepare(&BENCH.sandbox, &["model"]).await.is_err());
    assert!(!HOSTILE_STAGE.prepare(&BENCH.sandbox, &["probe"]).await.unwrap().needs_journal());

    let without = crate::support::SANDBOX.clone();
    let error = PROBE_STAGE.prepare(&without, &["probe"]).await.map(|ready| ready.digest()).unwrap_err();
    insta::assert_snapshot!(error, @"the component imports `test:probe/probe@0.1.0`, which is no part of the contract; build it without that import");
}
