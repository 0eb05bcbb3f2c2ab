//! `tollgate runs show`.

use std::time::Duration;

use clap::Args;
use tollgate_core::{
    Microcents,
    child::ChildStatus,
    effect::Delivered,
    late::{Brought, Late},
    record::{StepFacts, StepResult},
    step::{Step, StepKey, StepOutcome, Usage},
};
use tollgate_store::OpenMode;

use crate::{
    context::Context,
    error::Result,
    exit::Exit,
    run_argument,
    ui::{
        explain,
        json::{self, RunFamily},
        printer::Printer,
        text::{bytes, duration, finding, large, time},
    },
};

/// Show one run: every call, what gates found, what was delivered
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[arg(value_name = "RUN-OR-ENTRY", help = run_argument::HELP)]
    run: String,
    /// Show what plugins logged
    #[arg(long)]
    log: bool,
}

pub(crate) async fn run(context: &Context, args: ShowArgs) -> Result<Exit> {
    let project = context.project()?;
    let store = project.store(OpenMode::ReadOnly).await?;
    let id = run_argument::find(&*store, &project, &args.run).await?;
    let run = json::Run::from(store.run(id).await?);
    context.printer.show(&run, |run| text(&context.printer, run, args.log))?;
    Ok(Exit::Done)
}

fn text(printer: &Printer, run: &json::Run, with_log: bool) -> String {
    let summary = &run.summary;
    let mut lines = vec![
        format!("{}  {}  {}", summary.id, summary.entry.key, summary.title),
        format!(
            "{} by {}, round {}, begun {} on {}, {}",
            summary.state,
            summary.pipeline,
            summary.round,
            time(summary.started_at),
            summary.host,
            summary.cost
        ),
    ];
    lines.extend(run.family.as_ref().map(|family| with_children(summary.cost, family)));
    lines.extend(summary.reason.clone());
    lines.extend(run.decisions.iter().map(explain::decision));
    lines.extend(summary.ask.as_ref().map(|ask| explain::ways_to_answer(&summary.entry.key, ask)));
    lines.push(String::new());
    match &run.record {
        Some(record) if summary.rebuilt => {
            lines.push("rebuilt from its record, which tells these calls:".to_owned());
            lines.push(calls(printer, &record.steps));
        }
        _ => lines.push(calls(printer, &run.steps)),
    }
    for step in &run.steps {
        lines.extend(details(step, with_log));
    }
    for effect in &run.effects {
        let became = delivered(effect.became.as_ref());
        lines.push(format!("effect {} of {}: {became}", effect.effect.kind, effect.reference.step));
    }
    lines.extend(run.children.iter().map(child));
    lines.extend(run.late.iter().flat_map(late));
    if run.record.is_some() {
        lines.push(format!("record: {}", delivered(run.record_delivered.as_ref())));
    }
    lines.join("\n")
}

/// What the run cost with what it opened.
fn with_children(own: Microcents, family: &RunFamily) -> String {
    let RunFamily { limit, cost, escrow } = family;
    let set_aside = match *escrow {
        Microcents::ZERO => String::new(),
        escrow => format!(", and {escrow} set aside for it"),
    };
    format!("with what it opened {} of {limit}{set_aside}", own + *cost)
}

fn child(child: &ChildStatus) -> String {
    let ChildStatus { name, title, state, cost, .. } = child;
    format!("opened {} “{title}”: {state}, {cost}", name.key)
}

/// What a host brought that had lost the run, a line each.
fn late(late: &Late) -> Vec<String> {
    let Late { fence, at, brought } = late;
    let came = format!("came too late, by fence {fence} at {}, and was refused", time(*at));
    match brought {
        Brought::Steps { steps, end } => {
            let calls = steps.iter().map(|step| {
                let Call { key, result, summary, .. } = step.into();
                format!("{key} {came}: {result}, {}: {summary}", step.usage.cost)
            });
            calls.chain(end.iter().map(|_| format!("the end of the run {came}"))).collect()
        }
        Brought::Answer { step, call, answer } => {
            vec![format!("the answer to question {} of {step} {came}: {}", call + 1, answer.cost)]
        }
    }
}

/// A call, as a line of the table shows it.
struct Call<'r> {
    key: &'r StepKey,
    result: String,
    took: Duration,
    usage: &'r Usage,
    summary: String,
}

impl<'r> From<&'r Step> for Call<'r> {
    fn from(step: &'r Step) -> Self {
        let (result, summary) = match &step.outcome {
            StepOutcome::Produced(produced) => ("produced".to_owned(), produced.summary.clone()),
            StepOutcome::Judged(verdict) => (verdict.judgement.to_string(), verdict.summary.clone()),
            StepOutcome::Failed(failure) => ("failed".to_owned(), failure.message.clone()),
            StepOutcome::Waits(wait) => ("waited".to_owned(), wait.to_string()),
            StepOutcome::NotApplicable(why) => ("not applicable".to_owned(), why.to_string()),
        };
        let took = step.ended_at.since(step.started_at);
        Self { key: &step.key, result, took, usage: &step.usage, summary }
    }
}

/// Of a run of which nothing but the record is left.
impl<'r> From<&'r StepFacts> for Call<'r> {
    fn from(step: &'r StepFacts) -> Self {
        let result = match &step.result {
            StepResult::Produced => "produced".to_owned(),
            StepResult::Judged { judgement } => judgement.to_string(),
            StepResult::Failed { .. } => "failed".to_owned(),
            StepResult::NotApplicable(_) => "not applicable".to_owned(),
            StepResult::Waited => "waited".to_owned(),
        };
        let took = step.ended_at.since(step.started_at);
        Self { key: &step.key, result, took, usage: &step.usage, summary: step.summary.clone() }
    }
}

fn calls<'r>(printer: &Printer, calls: impl IntoIterator<Item = impl Into<Call<'r>>>) -> String {
    let mut table = printer.table(&["call", "result", "took", "fuel", "memory", "cost", "summary"]);
    for call in calls {
        let Call { key, result, took, usage, summary } = call.into();
        table.row([
            key.to_string(),
            result,
            duration(took),
            large(usage.fuel),
            bytes(usage.memory_bytes),
            usage.cost.to_string(),
            summary,
        ]);
    }
    table.render()
}

/// What a gate found and, where it was asked for, what the plugin logged.
fn details(step: &Step, with_log: bool) -> Vec<String> {
    let findings = match &step.outcome {
        StepOutcome::Judged(verdict) => verdict.findings.as_slice(),
        _ => &[],
    };
    let log =
        step.log.iter().filter(|_| with_log).map(|line| format!("    {}: {}", line.level, line.message));
    let (read, written) = (step.usage.input_tokens, step.usage.output_tokens);
    let tokens = format!("  models read {} tokens and wrote {}", large(read), large(written));
    let tokens = Some(tokens).filter(|_| read + written > 0);
    let mut lines: Vec<_> = tokens.into_iter().chain(findings.iter().map(finding)).chain(log).collect();
    if !lines.is_empty() {
        lines.insert(0, format!("\n{}:", step.key));
    }
    lines
}

fn delivered(became: Option<&Delivered>) -> String {
    match became {
        None => "to be delivered".to_owned(),
        Some(Delivered::Done { reference: Some(reference), .. }) => format!("delivered, {reference}"),
        Some(Delivered::Done { reference: None, .. }) => "delivered".to_owned(),
        Some(Delivered::Refused { reason }) => format!("refused: {reason}"),
        Some(Delivered::Withheld { reason }) => format!("not sent: {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use insta::assert_snapshot;
    use tollgate_core::{
        Digest, Timestamp, course::End, journal::Answer, lease::Fence, pipeline::StepName,
        step::NotApplicable,
    };

    use super::*;

    fn key() -> StepKey {
        let name = StepName { stage: "review".into(), gate: None };
        StepKey { name, rework: 0, attempt: 2 }
    }

    fn told(brought: Brought) -> String {
        late(&Late { fence: Fence(3), at: Timestamp::from_millis(0), brought }).join("\n")
    }

    #[test]
    fn what_came_too_late_is_said_with_its_cost() {
        let step = Step {
            key: key(),
            plugin: Digest::of(b"plugin"),
            input: Digest::of(b"input"),
            started_at: Timestamp::from_millis(0),
            ended_at: Timestamp::from_millis(5),
            usage: Usage { cost: Microcents(2_000_000), ..Usage::default() },
            outcome: StepOutcome::NotApplicable(NotApplicable {
                expression: "size > 3".into(),
                inputs: BTreeMap::default(),
            }),
            log: vec![],
        };
        let steps = Brought::Steps { steps: vec![step], end: Some(End::Done) };
        assert_snapshot!(told(steps), @r"
        review, attempt 2 came too late, by fence 3 at 1970-01-01 00:00:00Z, and was refused: not applicable, $0.02: `size > 3` is false
        the end of the run came too late, by fence 3 at 1970-01-01 00:00:00Z, and was refused
        ");
        let answer = Answer { body: serde_json::Value::Null, cost: Microcents(1_000_000) };
        assert_snapshot!(told(Brought::Answer { step: key(), call: 0, answer }), @"the answer to question 1 of review, attempt 2 came too late, by fence 3 at 1970-01-01 00:00:00Z, and was refused: $0.01");
    }
}
