//! Finds work that was done before Tollgate, and takes it over.
//!
//! Properties wanted: nothing that was done is done again; nothing is adopted on evidence that anything speaks against unless a
//! person says so; and what is found twice, in doubt or not at all is named, each for what it is.

mod names;
mod survey;

use std::{path::Path, sync::Arc};

use tollgate_core::{
    AdoptionId, EntryId, HostId, Timestamp,
    adoption::{Evidence, EvidenceKind},
    entry::{EntryState, EntryStatus},
};
use tollgate_policy::{Backlog, Policy, Seen, done::DoneWord};
use tollgate_store::{
    Store,
    port::{AdoptionOutcome, EntryFilter, NewAdoption, StoredItem},
};

pub use survey::{Finding, Refusal, Survey, Twice};

use crate::{
    applied::Present,
    error::Result,
    host::{self, Parts},
    store_time::StoreTime,
};

/// Entries looked at, or adopted, by one transaction.
const BATCH: usize = 500;

/// What somebody says of an entry: a line of a list or table, or a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Testimony {
    /// The entry, as it is named there.
    pub written: String,
    /// Its title, where that is told as well.
    pub title: Option<String>,
    /// What is said.
    pub evidence: Evidence,
}

/// What a rule found of an entry.
#[derive(Debug, Clone, PartialEq)]
struct Ruled {
    entry: EntryId,
    evidence: Vec<Evidence>,
    doubts: Vec<String>,
}

/// Where evidence is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Places<'a> {
    /// The rules of backlogs.
    pub policy: &'a Policy,
    /// The project's folder.
    pub project: &'a Path,
    /// What is told of entries beside them.
    pub testimonies: &'a [Testimony],
}

/// Looks for the evidence that there is of earlier work. Changes nothing.
///
/// # Errors
///
/// When the store fails.
pub async fn look(store: &dyn Store, places: Places<'_>) -> Result<Survey> {
    let now = store.now().await?;
    let entries = store.entries(EntryFilter::default()).await?.rows;
    let (ruled, unjudged) = ask_rules(store, places, now).await?;
    let backlogs: Vec<&Backlog> = places.policy.backlogs.values().collect();
    let mut survey = survey::of(entries, ruled, places.testimonies, &backlogs, now);
    survey.refused.extend(unjudged);
    Ok(survey)
}

/// Adopts what was found; what became of each, in the same order.
///
/// # Errors
///
/// When the store fails. What was adopted until then stays so.
pub async fn adopt(store: &dyn Store, findings: &[&Finding], who: &str) -> Result<Vec<AdoptionOutcome>> {
    let new = |finding: &&Finding| NewAdoption {
        id: AdoptionId::generate(),
        entry: finding.entry.id,
        revision: finding.entry.revision,
        who: who.to_owned(),
        evidence: finding.evidence.clone(),
        despite: finding.doubts.clone(),
    };
    let mut outcomes = Vec::with_capacity(findings.len());
    for batch in findings.chunks(BATCH) {
        outcomes.extend(store.adopt(batch.iter().map(new).collect()).await?);
    }
    Ok(outcomes)
}

/// Delivers what waits in the outbox; how many deliveries are left for later.
///
/// # Errors
///
/// When the store fails.
pub async fn deliver(parts: &Parts, as_host: &HostId) -> Result<u64> {
    let Some(applied) = parts.store.applied_policy().await? else { return Ok(0) };
    let time = StoreTime::new(Arc::clone(&parts.clock), parts.store.now().await?);
    let deliverer = host::deliverer(parts, as_host, &Present::own(parts, &applied), &time);
    while deliverer.tick().await? > 0 {}
    Ok(parts.store.open_work().await?.undelivered)
}

async fn ask_rules(
    store: &dyn Store,
    places: Places<'_>,
    now: Timestamp,
) -> Result<(Vec<Ruled>, Vec<Refusal>)> {
    let (mut ruled, mut unjudged, mut after) = (Vec::new(), Vec::new(), None);
    loop {
        let items = store.items(after, BATCH as u32).await?;
        let Some(last) = items.last() else { return Ok((ruled, unjudged)) };
        after = Some(last.id);
        for item in items.iter().filter(|item| item.state != EntryState::Gone) {
            let Some(backlog) = places.policy.backlogs.get(&item.backlog) else { continue };
            let seen = Seen { first: item.first_seen_at, now };
            match backlog.says_done(&item.item, seen) {
                None => {}
                Some(Ok(word)) => ruled.extend(ruled_by(backlog, item, &word, places.project)),
                Some(Err(reason)) => {
                    let reason =
                        format!("`done` of the backlog {} says nothing of it: {reason}", backlog.name);
                    unjudged.push(Refusal { name: item.item.name.key.clone(), reason });
                }
            }
        }
    }
}

/// What the rule of a backlog makes of an item. Where it looks at two things, both must say the same.
fn ruled_by(backlog: &Backlog, item: &StoredItem, word: &DoneWord, project: &Path) -> Option<Ruled> {
    let place = format!("`done` of the backlog {}", backlog.name);
    let when = backlog.done.as_ref().and_then(|done| done.when.as_ref());
    let source = when.map(|formula| format!("`{}` is true", formula.source())).unwrap_or_default();
    let there = word.file.as_ref().map(|file| (file, project.join(file).is_file()));
    let (mut evidence, mut doubts) = (Vec::new(), Vec::new());
    if word.when == Some(true) {
        evidence.push(Evidence {
            kind: EvidenceKind::Rule,
            place: place.clone(),
            says: source,
            done_at: None,
        });
    }
    if let Some((file, true)) = there {
        let says = "it is there".to_owned();
        evidence.push(Evidence { kind: EvidenceKind::Output, place: file.clone(), says, done_at: None });
    }
    match (word.when, there) {
        (Some(true), Some((file, false))) => {
            doubts.push(format!("{file} is not there, where its work would have left it"));
        }
        (Some(false), Some((file, true))) => {
            doubts.push(format!("{file} is there, and {place} is not true for it"));
        }
        _ => {}
    }
    if word.is_doubtful {
        let doubt = backlog.done.as_ref().and_then(|done| done.doubt.as_ref());
        doubts.push(format!("`{}` is true", doubt.map(|formula| formula.source()).unwrap_or_default()));
    }
    (!evidence.is_empty()).then_some(Ruled { entry: item.id, evidence, doubts })
}

/// The entries that a survey speaks of, by their numbers.
fn by_id(entries: &[EntryStatus]) -> std::collections::HashMap<EntryId, usize> {
    entries.iter().enumerate().map(|(at, entry)| (entry.id, at)).collect()
}
