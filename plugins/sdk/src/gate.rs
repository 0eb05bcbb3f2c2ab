//! A gate judges.

use serde::de::DeserializeOwned;

use crate::{Artifact, Context, Failure, Finding, Outcome, Severity};

/// A gate: the output of a stage and some settings in, a verdict out.
pub trait Gate {
    /// The `with` table of the gate in the pipeline file. Derive `Deserialize` with `deny_unknown_fields`, so
    /// that a misspelt name is said instead of ignored.
    type Settings: DeserializeOwned;

    /// Judges [`Context::subject`].
    ///
    /// # Errors
    ///
    /// A [`Failure`] when no judgement is possible, such as when what is to be judged is missing. That is never
    /// taken for a pass.
    fn check(ctx: &Context, settings: Self::Settings) -> Result<Outcome<Verdict>, Failure>;
}

/// What a gate says of its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Judgement {
    /// The run goes on.
    Pass,
    /// The work goes back with the findings, until its rework is spent.
    Fail,
    /// Nothing can be said now; the pipeline says what follows.
    Inconclusive,
}

/// A judgement with its reasons.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Pass, fail or inconclusive.
    pub judgement: Judgement,
    /// One line for people.
    pub summary: String,
    /// Reasons, in the order in which they are to be read.
    pub findings: Vec<Finding>,
    /// What was written to back the verdict.
    pub evidence: Vec<Artifact>,
}

impl Verdict {
    /// A verdict without findings.
    pub fn new(judgement: Judgement, summary: impl Into<String>) -> Self {
        Verdict { judgement, summary: summary.into(), findings: Vec::new(), evidence: Vec::new() }
    }

    /// Fails if any finding is an error, and passes otherwise.
    pub fn of(findings: Vec<Finding>, summary: impl Into<String>) -> Self {
        let failed = findings.iter().any(|finding| finding.severity == Severity::Error);
        let judgement = if failed { Judgement::Fail } else { Judgement::Pass };
        Verdict { findings, ..Verdict::new(judgement, summary) }
    }

    /// Adds a finding; the judgement stays as it is.
    pub fn finding(mut self, finding: Finding) -> Self {
        self.findings.push(finding);
        self
    }

    /// Adds an artifact that backs the verdict.
    pub fn evidence(mut self, artifact: Artifact) -> Self {
        self.evidence.push(artifact);
        self
    }
}
