//! What was found of earlier work, and what became of it, for people and programs.

use std::collections::BTreeSet;

use tollgate_core::{EntryId, adoption::Evidence};
use tollgate_engine::adopt::{Finding, Survey};
use tollgate_store::Store;

use crate::{
    entry_argument,
    error::Result,
    project::Project,
    ui::{
        json::{AdoptReport, Adoptable, Refused, TwiceDone},
        printer::Printer,
        text::{count, list, shorten},
    },
};

/// What a person wants to be adopted.
pub(super) struct Asked {
    only: Option<BTreeSet<EntryId>>,
    doubtful: bool,
    /// Named entries that no evidence speaks of.
    without_evidence: Vec<String>,
}

impl Asked {
    /// What the arguments say.
    ///
    /// # Errors
    ///
    /// When they name an entry that there is not.
    pub(super) async fn of(
        named: &[String],
        doubtful: bool,
        survey: &Survey,
        store: &dyn Store,
        project: &Project,
    ) -> Result<Self> {
        if named.is_empty() {
            return Ok(Self { only: None, doubtful, without_evidence: Vec::new() });
        }
        let (mut only, mut without_evidence) = (BTreeSet::new(), Vec::new());
        for name in named {
            let status = entry_argument::find(store, &project.folder, name).await?.status;
            let is_refused = survey.refused.iter().any(|refusal| refusal.name == status.name.key);
            let is_adopted = status.adopted && status.state.is_terminal();
            let is_found = survey.findings().any(|finding| finding.entry.id == status.id);
            if !(is_found || is_refused || is_adopted) {
                without_evidence.push(status.name.key);
            }
            only.insert(status.id);
        }
        Ok(Self { only: Some(only), doubtful, without_evidence })
    }

    /// Whether this is to be adopted.
    pub(super) fn takes(&self, finding: &Finding) -> bool {
        match &self.only {
            Some(only) => only.contains(&finding.entry.id),
            None => self.doubtful || finding.doubts.is_empty(),
        }
    }
}

/// What there is to say before anything is written.
pub(super) fn of(survey: &Survey, asked: &Asked, is_dry: bool) -> AdoptReport {
    let adoptable = |finding: &Finding| Adoptable {
        entry: finding.entry.clone(),
        evidence: finding.evidence.clone(),
        doubts: finding.doubts.clone(),
        chosen: asked.takes(finding),
    };
    let refused = survey
        .refused
        .iter()
        .map(|refusal| Refused { entry: refusal.name.clone(), reason: refusal.reason.clone() });
    let unknown = survey.unknown.iter().map(|(name, place)| Refused {
        entry: name.clone(),
        reason: format!("{place} names it, and no source has an entry of that key"),
    });
    let silent = asked.without_evidence.iter().map(|name| Refused {
        entry: name.clone(),
        reason: "nothing says that its work was done; `--evidence TEXT` says so on your word".into(),
    });
    AdoptReport {
        dry_run: is_dry,
        certain: survey.certain.iter().map(adoptable).collect(),
        doubtful: survey.doubtful.iter().map(adoptable).collect(),
        twice_done: survey
            .twice
            .iter()
            .map(|twice| TwiceDone { entries: twice.keys.clone(), reason: twice.why.clone() })
            .collect(),
        refused: refused.chain(unknown).chain(silent).collect(),
        adopted: 0,
        adopted_before: survey.adopted_before,
        done_by_runs: survey.done_by_runs,
    }
}

/// Evidence is shown up to this width; `backlog show` and the record have all of it.
const EVIDENCE_COLUMNS: usize = 100;

/// The report for people.
pub(super) fn text(printer: &Printer, report: &AdoptReport) -> String {
    let mut parts = Vec::new();
    if !report.certain.is_empty() {
        let mut table = printer.table(&["certain", "title", "evidence"]);
        for found in &report.certain {
            table.row([found.entry.name.key.clone(), found.entry.title.clone(), evidence(&found.evidence)]);
        }
        parts.push(table.render());
    }
    if !report.doubtful.is_empty() {
        let mut table = printer.table(&["doubtful", "title", "evidence", "doubt"]);
        for found in &report.doubtful {
            let doubts = found.doubts.join("; ");
            let row =
                [found.entry.name.key.clone(), found.entry.title.clone(), evidence(&found.evidence), doubts];
            table.row(row);
        }
        parts.push(table.render());
    }
    if !report.twice_done.is_empty() {
        let mut table = printer.table(&["twice done", "why"]);
        for twice in &report.twice_done {
            table.row([list(&twice.entries), twice.reason.clone()]);
        }
        parts.push(table.render());
    }
    if !report.refused.is_empty() {
        let mut table = printer.table(&["not adopted", "why"]);
        for refused in &report.refused {
            table.row([refused.entry.clone(), refused.reason.clone()]);
        }
        parts.push(table.render());
    }
    parts.push(sum(report));
    parts.join("\n\n")
}

fn evidence(evidence: &[Evidence]) -> String {
    let each: Vec<_> = evidence.iter().map(|evidence| evidence.to_string()).collect();
    shorten(&each.join("; "), EVIDENCE_COLUMNS)
}

fn sum(report: &AdoptReport) -> String {
    let chosen = report.certain.iter().chain(&report.doubtful).filter(|found| found.chosen).count() as u64;
    let mut parts = vec![match report.dry_run {
        true => format!("{} would be adopted; nothing was changed", count(chosen, "entry", "entries")),
        false => format!("{} adopted", count(report.adopted, "entry", "entries")),
    }];
    let left = report.doubtful.iter().filter(|found| !found.chosen).count() as u64;
    if left > 0 {
        parts.push(format!("{left} doubtful, adopted when you name them"));
    }
    if report.adopted_before > 0 {
        parts.push(format!("{} adopted before", report.adopted_before));
    }
    if report.done_by_runs > 0 {
        parts.push(format!("{} done by runs", report.done_by_runs));
    }
    parts.join("; ")
}
