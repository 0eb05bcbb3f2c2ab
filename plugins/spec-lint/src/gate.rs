//! The gate's face to its host.

use tollgate_plugin::{
    Artifact, Context, Failure, Finding, Gate, Location, Outcome, Severity, Verdict, gate,
};

use crate::check::check;
use crate::rule::RuleId;
use crate::settings::Settings;
use crate::specification::Specification;

/// The gate `spec-lint`.
pub struct SpecLint;

impl Gate for SpecLint {
    type Settings = Settings;

    fn check(ctx: &Context, settings: Settings) -> Result<Outcome<Verdict>, Failure> {
        let text = ctx.read_text(artifact(ctx, &settings)?)?;
        let specification = Specification::parse(&text);
        let mut findings = Vec::new();
        let mut results = Results::default();
        for rule in RuleId::ALL {
            if settings.disable.contains(&rule) {
                results.disabled.push(rule.as_str().to_string());
                continue;
            }
            let severity = settings.severity_of(rule);
            let faults = check(rule, &specification, &settings);
            results.add(rule, severity, faults.len());
            findings.extend(faults.into_iter().map(|fault| {
                let place = settings.artifact.as_str();
                let location =
                    fault.line.map_or_else(|| Location::whole(place), |line| Location::line(place, line));
                Finding::new(rule.as_str(), severity, fault.message).at(location)
            }));
        }
        Ok(Verdict::of(findings, results.summary()).into())
    }
}

fn artifact<'a>(ctx: &'a Context, settings: &Settings) -> Result<&'a Artifact, Failure> {
    let name = &settings.artifact;
    let Some(subject) = ctx.subject() else {
        return Err(Failure::permanent(format!("there is no stage output to judge, so no `{name}`")));
    };
    subject.artifact(name).ok_or_else(|| {
        let there: Vec<&str> = subject.artifacts.iter().map(|artifact| artifact.name.as_str()).collect();
        let there = if there.is_empty() { "none".to_string() } else { there.join(", ") };
        let stage = &subject.stage;
        Failure::permanent(format!("stage `{stage}` produced no artifact `{name}`; its artifacts: {there}"))
    })
}

/// Which rules hold and which do not.
#[derive(Default)]
struct Results {
    passed: Vec<String>,
    failed: Vec<String>,
    noted: Vec<String>,
    disabled: Vec<String>,
}

impl Results {
    fn add(&mut self, rule: RuleId, severity: Severity, count: usize) {
        let rule = rule.as_str();
        match (count, severity) {
            (0, _) => self.passed.push(rule.to_string()),
            (_, Severity::Error) => self.failed.push(format!("{rule} ({count})")),
            _ => self.noted.push(format!("{rule} ({count})")),
        }
    }

    fn summary(&self) -> String {
        let groups = [
            ("failed", &self.failed),
            ("noted", &self.noted),
            ("passed", &self.passed),
            ("disabled", &self.disabled),
        ];
        let said: Vec<String> = groups
            .iter()
            .filter(|(_, rules)| !rules.is_empty())
            .map(|(word, rules)| format!("{word} {}", rules.join(" ")))
            .collect();
        said.join("; ")
    }
}

gate!(SpecLint);
