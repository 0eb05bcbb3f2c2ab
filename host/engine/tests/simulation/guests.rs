//! Guests: what a component does when it is called, without a component.
//!
//! A guest is a function of what it is handed and told, as any guest is: what it does follows from the settings of its stage and from
//! the entry's key. What it asks of its capability goes through the journal as the sandbox would take it there.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serde_json::{Value, json};
use tollgate_core::{
    Clock as _, Digest, Microcents,
    digest::canonical_json,
    effect::Effect,
    journal::{Answer, CallClass, Intent, JournalEntry},
    step::{
        Artifact, FailureClass, Fault, Finding, Judgement, Produced, Severity, StepFailure, StepOutcome,
        Usage, Verdict,
    },
    wait::{At, Event, Wait, WakeOn},
};
use tollgate_engine::port::{Guest, Guests};
use tollgate_sandbox::{Call, CallReport, Grants, Interrupted, port::Later};

use crate::{
    flaw::Flaw,
    history::{Class, Fact},
    line::{HostClock, Line, Reach},
    world::Act,
};

/// How often a guest is asked whether it may go on while it computes or waits.
const TICK: Duration = Duration::from_millis(50);

/// What a capability may cost, and what it does.
const LARGEST: Microcents = Microcents(300);
const COST: Microcents = Microcents(20);

/// Where components run.
pub(crate) struct SimGuests {
    line: Arc<Line>,
    flaw: Flaw,
}

/// A component.
struct SimGuest {
    line: Arc<Line>,
    flaw: Flaw,
    needs_journal: bool,
}

impl SimGuests {
    pub(crate) fn new(line: Arc<Line>, flaw: Flaw) -> Self {
        Self { line, flaw }
    }
}

#[async_trait]
impl Guests for SimGuests {
    fn engine_id(&self) -> &str {
        "simulation"
    }

    async fn prepare(&self, _: Digest, _: &[u8], grants: Grants) -> Result<Arc<dyn Guest>, StepFailure> {
        let needs_journal = grants.given.iter().any(|grant| grant == "probe");
        Ok(Arc::new(SimGuest { line: Arc::clone(&self.line), flaw: self.flaw, needs_journal }))
    }
}

#[async_trait]
impl Guest for SimGuest {
    fn needs_journal(&self) -> bool {
        self.needs_journal
    }

    async fn call(&self, call: Call) -> Result<CallReport, Interrupted> {
        self.line.lives().await;
        self.may_act(&call)?;
        let will = Will::of(&call);
        let asks = if self.needs_journal { will.asks } else { 0 };
        // It computes before each question, and before it ends.
        let between = will.takes / (asks + 1);
        self.pass(&call, between).await?;
        let mut asked = 0;
        while asked < asks {
            if let Some(failure) = self.ask(&call, asked, will.class).await? {
                return Ok(report(&call, StepOutcome::Failed(failure), asked, false));
            }
            asked += 1;
            self.pass(&call, between).await?;
        }
        let outcome = match call.input.step.name.gate {
            Some(_) => judge(&call, &will),
            None => self.produce(&call, &will).await,
        };
        Ok(report(&call, outcome, asked, !self.needs_journal))
    }
}

impl SimGuest {
    fn may_act(&self, call: &Call) -> Result<(), Interrupted> {
        match (call.liveness.check(), self.flaw) {
            (Err(Interrupted::LeaseLost), Flaw::GuestsAreNotCut) => Ok(()),
            (checked, _) => checked,
        }
    }

    /// Time passes, as long as the guest may go on.
    async fn pass(&self, call: &Call, mut time: Duration) -> Result<(), Interrupted> {
        while time > Duration::ZERO {
            let tick = time.min(TICK);
            tokio::time::sleep(tick).await;
            self.line.lives().await;
            self.may_act(call)?;
            time -= tick;
        }
        Ok(())
    }

    /// Asks the capability, or is told again what it was told; a failure where it must not be asked twice.
    async fn ask(
        &self,
        call: &Call,
        place: u32,
        class: CallClass,
    ) -> Result<Option<StepFailure>, Interrupted> {
        let intent = Intent {
            function: "sim:probe/probe.ask".to_owned(),
            request: Digest::of(place.to_string()),
            reserved: LARGEST,
            class,
        };
        match call.journal.recorded.get(place as usize) {
            Some(JournalEntry { answer: Some(_), .. }) => return Ok(None),
            Some(JournalEntry { answer: None, .. }) if class == CallClass::Unsafe => {
                return Ok(Some(failure(Fault::Ambiguous, FailureClass::Escalate)));
            }
            _ => {}
        }
        call.journal.port.intend(place, &intent).await?;
        self.line.lives().await;
        self.may_act(call)?;
        let (run, step) = (call.input.run, call.input.step.clone());
        let world = Arc::clone(&self.line.world);
        world.note(Fact::Asks { host: self.line.host.clone(), run, step: step.clone(), call: place });
        let class = match class {
            CallClass::Repeatable => Class::Repeatable,
            CallClass::Keyed => Class::Keyed,
            CallClass::Unsafe => Class::Unsafe,
        };
        let act = move || {
            Box::pin(async move {
                let is_begun = !world.strikes(world.plan.faults.later);
                if is_begun {
                    world.note(Fact::Did { run, step, call: place, class });
                }
                Ok(is_begun)
            }) as Act<Result<bool, ()>>
        };
        let mut asking = std::pin::pin!(self.line.ask("a capability", Reach::Any, act, |_| ()));
        let answered = loop {
            tokio::select! {
                biased;
                answered = asking.as_mut() => break answered,
                () = tokio::time::sleep(TICK) => self.may_act(call)?,
            }
        };
        if answered == Ok(false) {
            // Whoever asks for patience knows the clock of the machine alone.
            let at = HostClock(Arc::clone(&self.line)).now().after(Duration::from_millis(800));
            let later = Later { at, reason: "it has no time now".to_owned() };
            call.journal.port.withdraw(place, &later).await?;
            return Err(Interrupted::AskLater);
        }
        let body = Value::from(if answered.is_ok() { "done" } else { "lost" });
        // What may have happened is paid for at its largest.
        let cost = if answered.is_ok() { COST } else { LARGEST };
        call.journal.port.answer(place, &Answer { body, cost }).await?;
        Ok(None)
    }

    async fn produce(&self, call: &Call, will: &Will) -> StepOutcome {
        if let Some(wait) = wait(call, will) {
            return StepOutcome::Waits(wait);
        }
        if let Some(failure) = &will.fails {
            return StepOutcome::Failed(failure.clone());
        }
        let mut produced = Produced {
            summary: "made".to_owned(),
            data: json!({ "key": call.input.entry.name.key, "seen": chance(&call.input.entry.body) }),
            artifacts: Vec::new(),
            effects: Vec::new(),
        };
        if will.publishes {
            let text = format!("{} {}", call.input.run, call.input.step);
            let digest = Digest::of(&text);
            if call.artifacts.write(digest, text.into_bytes().into()).await.is_err() {
                return StepOutcome::Failed(failure(Fault::Platform, FailureClass::Infrastructure));
            }
            let path = format!("specs/{}-{}.md", call.input.entry.name.key, call.input.step.name.stage);
            let body = json!({ "path": path, "artifact": digest, "media-type": "text/markdown" });
            produced.artifacts.push(Artifact {
                name: "text".to_owned(),
                digest,
                media_type: "text/markdown".to_owned(),
                size_bytes: 1,
            });
            let kind = "publish-file".to_owned();
            produced.effects.push(Effect { id: "file".to_owned(), kind, body, later: will.later });
        }
        for number in 0..will.opens {
            let key = &call.input.entry.name.key;
            let body = json!({ "title": format!("Part {number} of {key}"), "fingerprint": format!("{key}/{number}") });
            let effect =
                Effect { id: format!("part-{number}"), kind: "open-entry".to_owned(), body, later: false };
            produced.effects.push(effect);
        }
        StepOutcome::Produced(produced)
    }
}

/// What a guest will do: a function of its settings and of what it works on.
struct Will {
    takes: Duration,
    asks: u32,
    class: CallClass,
    fails: Option<StepFailure>,
    waits: Option<&'static str>,
    publishes: bool,
    later: bool,
    opens: u64,
    judgement: Judgement,
}

impl Will {
    fn of(call: &Call) -> Self {
        let settings = &call.input.settings;
        let text = |name: &str| settings.get(name).and_then(Value::as_str).unwrap_or_default();
        let number = |name: &str| settings.get(name).and_then(Value::as_u64).unwrap_or_default();
        let key = &call.input.entry.name.key;
        let chance = chance(&format!("{key} {}", canonical_json(settings)));
        let takes_ms = match text("takes") {
            "long" => 200 + chance * 20,
            "short" => chance,
            _ => 0,
        };
        let attempt = u64::from(call.input.step.attempt);
        let fails = match text("fails") {
            "once" if attempt == 1 => Some(failure(Fault::Reported, FailureClass::Transient)),
            "sometimes" if chance < 100 => Some(failure(Fault::Trap, FailureClass::Permanent)),
            "by-run" if self::chance(&call.input.run.to_string()) < 60 => {
                Some(failure(Fault::Trap, FailureClass::Permanent))
            }
            _ => None,
        };
        let rework = u64::from(call.input.step.rework);
        let judgement = match text("judges") {
            "strictly" if rework < number("until") => Judgement::Fail,
            "vaguely" if chance < 64 => Judgement::Inconclusive,
            _ => Judgement::Pass,
        };
        Self {
            takes: Duration::from_millis(takes_ms),
            asks: number("asks") as u32,
            class: match text("class") {
                "unsafe" => CallClass::Unsafe,
                "repeatable" => CallClass::Repeatable,
                _ => CallClass::Keyed,
            },
            fails,
            waits: match text("waits") {
                "time" => Some("time"),
                "event" => Some("event"),
                "children" => Some("children"),
                _ => None,
            },
            publishes: !text("publishes").is_empty(),
            later: text("publishes") == "later",
            opens: number("opens"),
            judgement,
        }
    }
}

/// A number below 256 that is another for another text.
pub(crate) fn chance(text: &str) -> u64 {
    let digest = Digest::of(text).to_string();
    u64::from_str_radix(&digest[digest.len() - 2..], 16).expect("a digest ends in hexadecimal digits")
}

fn wait(call: &Call, will: &Will) -> Option<Wait> {
    let what = will.waits.filter(|_| call.input.woken.is_none())?;
    let mut effects = Vec::new();
    let on = match what {
        "time" => WakeOn::At(At { at: call.input.now.after(Duration::from_millis(700)) }),
        "event" => WakeOn::Event(Event { name: format!("deployed-{}", call.input.entry.name.key) }),
        _ => {
            for number in 0..2 {
                let key = &call.input.entry.name.key;
                let (title, fingerprint) = (format!("Part {number} of {key}"), format!("{key}/{number}"));
                let body = json!({ "title": title, "fingerprint": fingerprint });
                let id = format!("part-{number}");
                effects.push(Effect { id, kind: "open-entry".to_owned(), body, later: false });
            }
            WakeOn::Children(tollgate_core::wait::Children {})
        }
    };
    Some(Wait {
        any: vec![on],
        reason: format!("waits for {what}"),
        resume: Value::Null,
        effects,
        expires: None,
    })
}

fn judge(call: &Call, will: &Will) -> StepOutcome {
    let findings = match will.judgement {
        Judgement::Fail => vec![Finding {
            rule: "SIM-001".to_owned(),
            severity: Severity::Error,
            message: format!("not yet in rework {}", call.input.step.rework),
            location: None,
        }],
        _ => Vec::new(),
    };
    let summary = format!("{}", will.judgement);
    StepOutcome::Judged(Verdict { judgement: will.judgement, summary, findings, evidence: Vec::new() })
}

fn failure(fault: Fault, class: FailureClass) -> StepFailure {
    StepFailure { fault, class, message: "as the world has it".to_owned(), retry_at: None, detail: None }
}

fn report(call: &Call, outcome: StepOutcome, host_calls: u32, recomputable: bool) -> CallReport {
    let fuel = call.budget.fuel / 2;
    let usage = Usage { fuel, host_calls: u64::from(host_calls), ..Usage::default() };
    CallReport { outcome, usage, log: Vec::new(), recomputable, fuel_exact: true }
}
