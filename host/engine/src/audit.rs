//! Proves that what is stored is what was written.
//!
//! Three things are compared: each run's events with their hash chain; each record in the store with the digest that its run's
//! last event holds; and each record in a tracker with the one in the store. A change to any of them shows, by name.

use std::collections::{HashMap, HashSet};

use tollgate_core::{
    AdoptionId, Digest, RunId,
    adoption::Adoption,
    effect::Delivered,
    event::{ChainHead, EventKind},
    record::Record,
};
use tollgate_store::{
    Store,
    port::{RunDetail, StoredAdoption},
};
use tollgate_tracker::{FoundRecord, Integrity, Tracker};

use crate::error::{EngineError, Result};

/// What an audit found.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Audit {
    /// Runs that were looked at.
    pub runs: u64,
    /// How many of them are known by their record alone, whose chain cannot be followed here.
    pub rebuilt: u64,
    /// Events in them.
    pub events: u64,
    /// Adoptions, of which there is no chain.
    pub adoptions: u64,
    /// Records in the store that were compared.
    pub records_stored: u64,
    /// Records in trackers that were compared.
    pub records_delivered: u64,
    /// Everything that does not fit, a sentence each.
    pub problems: Vec<String>,
}

/// Audits a store and the trackers that its records went to.
///
/// # Errors
///
/// When the store or a tracker cannot be read. What is read and does not fit is no error: it is in [`Audit::problems`].
pub async fn verify<'t>(
    store: &dyn Store,
    trackers: impl IntoIterator<Item = &'t std::sync::Arc<dyn Tracker>>,
) -> Result<Audit> {
    let mut audit = Audit::default();
    let mut stored = HashMap::new();
    for run in store.run_ids().await? {
        let detail = store.run(run).await?;
        audit.check_run(&detail);
        if let Some(record) = detail.record {
            let delivered = matches!(detail.record_delivered, Some(Delivered::Done { .. }));
            stored.insert(run, (record, delivered));
        }
    }
    let (mut found, mut adoptions) = (HashSet::new(), Vec::new());
    for tracker in trackers {
        let report = tracker.records().await.map_err(|error| EngineError::Tracker {
            tracker: tracker.name().to_owned(),
            reason: error.to_string(),
        })?;
        audit
            .problems
            .extend(report.damaged.iter().map(|damaged| format!("{}: {}", damaged.place, damaged.reason)));
        adoptions.extend(report.adoptions);
        for record in &report.records {
            if !found.insert(record.id) {
                audit.problems.push(format!(
                    "{}: the record of run {} is there more than once",
                    record.place, record.id
                ));
            }
            audit.check_delivered("run", record, stored.get(&record.id).map(|(record, _)| record));
        }
    }
    audit.check_missing(&stored, &found);
    audit.check_adoptions(&store.adoptions().await?, &adoptions);
    Ok(audit)
}

impl Audit {
    /// What is kept of one run.
    pub(crate) fn check_run(&mut self, detail: &RunDetail) {
        let run = detail.summary.id;
        self.runs += 1;
        if detail.summary.rebuilt {
            // Its chain was kept elsewhere: what there is of it is its record, which is compared with the tracker's.
            self.rebuilt += 1;
            self.records_stored += u64::from(detail.record.is_some());
            return;
        }
        self.events += detail.events.len() as u64;
        let head = match ChainHead::verify(run, &detail.events) {
            Ok(head) => head,
            Err(broken) => return self.problems.push(broken.to_string()),
        };
        if let Some(record) = &detail.record {
            self.records_stored += 1;
            self.check_stored(run, detail, record, head);
        } else if !detail.summary.state.is_live() {
            self.problems.push(format!("run {run} is over and has no record"));
        }
        self.check_steps(run, detail);
    }

    fn check_stored(&mut self, run: RunId, detail: &RunDetail, record: &Record, head: ChainHead) {
        let said = detail.events.iter().rev().find(|event| event.what.kind == EventKind::Finished);
        let said: Option<Digest> =
            said.and_then(|event| event.what.body.get("record")?.as_str()?.parse().ok());
        if said != Some(record.digest()) {
            self.problems.push(format!(
                "the stored record of run {run} is not the one that its last event vouches for"
            ));
        }
        if record.chain != Some(head) {
            self.problems
                .push(format!("the stored record of run {run} names another head than its chain has"));
        }
    }

    /// A step's outcome is in its row; the chain holds its digest.
    fn check_steps(&mut self, run: RunId, detail: &RunDetail) {
        let events = detail.events.iter().filter(|event| event.what.kind == EventKind::StepEnded);
        let said: Vec<_> = events.filter_map(|event| event.what.body.get("outcome")?.as_str()).collect();
        let stored: Vec<_> =
            detail.steps.iter().map(|step| Digest::of_json(&step.outcome).to_string()).collect();
        if said != stored {
            self.problems.push(format!("the steps of run {run} are not the ones that its events vouch for"));
        }
    }

    fn check_delivered<I: std::fmt::Display, A: PartialEq>(
        &mut self,
        what: &str,
        found: &FoundRecord<I, A>,
        stored: Option<&A>,
    ) {
        self.records_delivered += 1;
        let FoundRecord { place, id, .. } = found;
        if let Integrity::Changed { written, found } = &found.integrity {
            self.problems
                .push(format!("{place}: the record was changed: {written} was written, {found} is there"));
        }
        match (&found.account, stored) {
            (Err(error), _) => self.problems.push(format!("{place}: {error}")),
            (Ok(_), None) => self.problems.push(format!("{place}: {what} {id} is not in this store")),
            (Ok(there), Some(here)) if there != here => {
                self.problems.push(format!("{place}: the record of {what} {id} differs from the store's"));
            }
            (Ok(_), Some(_)) => {}
        }
    }

    /// Adoptions have no chain: what there is of them is their record, in the store and in the tracker.
    fn check_adoptions(&mut self, stored: &[StoredAdoption], found: &[FoundRecord<AdoptionId, Adoption>]) {
        self.adoptions = stored.len() as u64;
        let by_id: HashMap<_, _> =
            stored.iter().map(|stored| (stored.adoption.id, &stored.adoption)).collect();
        for record in found {
            self.check_delivered("adoption", record, by_id.get(&record.id).copied());
        }
        let found: HashSet<_> = found.iter().map(|record| record.id).collect();
        let missing = stored.iter().filter(|stored| matches!(stored.delivered, Some(Delivered::Done { .. })));
        let missing = missing.map(|stored| &stored.adoption).filter(|adoption| !found.contains(&adoption.id));
        self.problems.extend(missing.map(|adoption| {
            format!("{}: the delivered record of adoption {} is gone", adoption.entry.name, adoption.id)
        }));
    }

    fn check_missing(&mut self, stored: &HashMap<RunId, (Record, bool)>, found: &HashSet<RunId>) {
        let missing = stored.iter().filter(|(run, (_, delivered))| *delivered && !found.contains(run));
        let mut sentences: Vec<_> = missing
            .map(|(run, (record, _))| {
                format!("{}: the delivered record of run {run} is gone", record.entry.name)
            })
            .collect();
        sentences.sort();
        self.problems.append(&mut sentences);
    }
}
