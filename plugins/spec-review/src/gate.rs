//! The gate's face to its host.

use std::collections::BTreeMap;

use serde::Deserialize;
use tollgate_plugin::model::{self, ErrorCode, Reply};
use tollgate_plugin::{
    Artifact, Context, Failure, Finding, Gate, Judgement, Location, Outcome, Verdict, gate,
};

use crate::prompt;
use crate::rule::RuleId;
use crate::settings::Settings;

/// The gate `spec-review`.
pub struct SpecReview;

/// What the model says of a rule.
#[derive(Deserialize)]
struct Answer {
    holds: bool,
    reason: String,
}

impl Gate for SpecReview {
    type Settings = Settings;

    fn check(ctx: &Context, settings: Settings) -> Result<Outcome<Verdict>, Failure> {
        if settings.rules().next().is_none() {
            return Err(Failure::configuration(
                "setting `disable`: every rule is disabled, so nothing is judged",
            ));
        }
        let specification = ctx.read_text(artifact(ctx, &settings)?)?;
        let request = prompt::request(ctx.entry(), &specification, &settings);
        match model::complete(ctx, &request) {
            Ok(reply) => Ok(judge(&reply, &specification, &settings)?.into()),
            Err(error) if matches!(error.code, ErrorCode::Refused | ErrorCode::Invalid) => {
                Ok(Verdict::new(Judgement::Inconclusive, error.to_string()).into())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// The verdict that follows from the model's answers.
fn judge(reply: &Reply, specification: &str, settings: &Settings) -> Result<Verdict, Failure> {
    let answers: BTreeMap<RuleId, Answer> = reply.json()?;
    let mut findings = Vec::new();
    let mut held = 0;
    for rule in settings.rules() {
        match answers.get(&rule) {
            Some(answer) if answer.holds => held += 1,
            Some(answer) => {
                let place = place(&answer.reason, specification, &settings.artifact);
                findings
                    .push(Finding::new(rule.as_str(), settings.severity_of(rule), &answer.reason).at(place));
            }
            // The schema asks for each; without an answer nothing can be said.
            None => {
                let what = format!("{} says nothing of {}", reply.model, rule.as_str());
                return Ok(Verdict::new(Judgement::Inconclusive, what));
            }
        }
    }
    let asked = settings.rules().count();
    Ok(Verdict::of(findings, format!("{held} of {asked} rules hold, says {}", reply.model)))
}

/// The line of the statement that a reason names first.
fn place(reason: &str, specification: &str, artifact: &str) -> Location {
    let is_id = |word: &&str| {
        let number = word.strip_prefix("REQ-").or_else(|| word.strip_prefix("AC-"));
        number.is_some_and(|number| number.parse::<u32>().is_ok())
    };
    let named = reason.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).find(is_id);
    let line = named.and_then(|id| {
        let mark = format!("**{id}**");
        (1..).zip(specification.lines()).find(|(_, line)| line.contains(&mark)).map(|(number, _)| number)
    });
    line.map_or_else(|| Location::whole(artifact), |line| Location::line(artifact, line))
}

fn artifact<'a>(ctx: &'a Context, settings: &Settings) -> Result<&'a Artifact, Failure> {
    let name = &settings.artifact;
    let Some(subject) = ctx.subject() else {
        return Err(Failure::permanent(format!("there is no stage output to judge, so no `{name}`")));
    };
    let stage = &subject.stage;
    let missing = || Failure::permanent(format!("stage `{stage}` produced no artifact `{name}`"));
    subject.artifact(name).ok_or_else(missing)
}

gate!(SpecReview);
