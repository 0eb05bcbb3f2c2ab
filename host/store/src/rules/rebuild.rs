//! What was done before this store was made, from the records beside the items.
//!
//! Properties wanted:
//!
//! 1. What a record says was done is not done again: a record that is known before its entry arrives makes the entry over in the
//!    transaction that makes it, so no claim comes in between.
//! 2. A run that is rebuilt is a run like any other, but that its steps and events are those that its record tells.
//! 3. What does not verify is never taken for done, and never done again without a person's word: the entry is held.
//! 4. Reading the same records again changes nothing, and a record that stands twice is one.

use std::collections::BTreeSet;

use serde_json::json;
use tollgate_core::{
    AdoptionId, EntryId, RunId, Timestamp,
    adoption::Adoption,
    course::EffectRef,
    effect::{Delivered, Effect},
    entry::{EntryName, EntryState},
    record::{EffectFacts, Record},
    run::{RunKind, RunState},
};

use super::{
    adopt,
    entry::KnownEntry,
    ledger, readiness, sql,
    tx::{Tx, TxResult, cents, from_json, json_of, named_params},
    write,
};
use crate::port::{FoundAccount, PriorAccount, Rebuilt};

/// What became of an entry by the accounts of it.
pub(super) enum Standing {
    /// It is over.
    Over(EntryState),
    /// Something about it does not verify, and it is held for a person.
    Held,
}

/// What was told by the accounts that were read so far.
#[derive(Default)]
struct Told {
    runs: BTreeSet<RunId>,
    adoptions: BTreeSet<AdoptionId>,
}

impl Told {
    /// Whether an account is the first that tells this. Whoever copied a record did nothing again.
    fn is_first_of(&mut self, account: &PriorAccount) -> bool {
        match account {
            PriorAccount::Run(record) => self.runs.insert(record.run),
            PriorAccount::Adoption(adoption) => self.adoptions.insert(adoption.id),
            PriorAccount::Damaged(_) => true,
        }
    }
}

/// Whether the records of a tracker have been read.
pub(super) fn has_read(tx: &Tx<'_>, tracker: &str) -> TxResult<bool> {
    Ok(tx.one(sql::PRIOR_READING_GET, named_params! { ":tracker": tracker }, |_| Ok(()))?.is_some())
}

/// Keeps what stands in a tracker, in place of what was kept of it before, and applies it to entries that wait.
pub(super) fn rebuild(
    tx: &Tx<'_>,
    tracker: &str,
    accounts: &[FoundAccount],
    complete: bool,
) -> TxResult<Rebuilt> {
    let by_tracker = named_params! { ":tracker": tracker };
    tx.send(sql::PRIOR_DELETE, by_tracker)?;
    if complete {
        let params = named_params! { ":tracker": tracker, ":now": tx.now.as_millis() };
        tx.send(sql::PRIOR_READING_PUT, params)?;
    }
    let mut rebuilt = Rebuilt::default();
    let (mut keys, mut told) = (BTreeSet::new(), Told::default());
    for found in accounts {
        match &found.account {
            account if !told.is_first_of(account) => continue,
            PriorAccount::Run(record) if is_known_run(tx, record)? => continue,
            PriorAccount::Adoption(adoption) if is_known_adoption(tx, adoption)? => continue,
            PriorAccount::Damaged(_) if !may_run(tx, tracker, &found.key)? => continue,
            PriorAccount::Run(_) => rebuilt.runs += 1,
            PriorAccount::Adoption(_) => rebuilt.adoptions += 1,
            PriorAccount::Damaged(_) if rebuilt.damaged.contains(&found.key) => {}
            PriorAccount::Damaged(_) => rebuilt.damaged.push(found.key.clone()),
        }
        insert(tx, tracker, found)?;
        keys.insert(found.key.as_str());
    }
    for key in keys {
        let name = EntryName { tracker: tracker.to_owned(), key: key.to_owned() };
        let Some(entry) = KnownEntry::find(tx, &name)?.filter(KnownEntry::waits) else { continue };
        if let Some(standing) = apply(tx, entry.id, &name)? {
            let state = match standing {
                Standing::Over(state) => state,
                Standing::Held => readiness::settle(tx, entry.id, entry.depends)?,
            };
            readiness::tell_dependants_if_changed(tx, &entry, state, entry.closed)?;
        }
    }
    Ok(rebuilt)
}

/// Makes of an entry what the accounts of it say, where there are any that were not applied yet; the newest decides. What
/// follows from a text that changed since is for the caller.
pub(super) fn apply(tx: &Tx<'_>, entry: EntryId, name: &EntryName) -> TxResult<Option<Standing>> {
    let params = named_params! { ":tracker": name.tracker, ":key": name.key };
    let rows = tx.all(sql::PRIOR_LIST, params, |row| {
        Ok((row.plain::<String>("kind")?, row.plain::<String>("place")?, row.plain::<String>("body")?))
    })?;
    if rows.is_empty() {
        return Ok(None);
    }
    let (mut newest, mut damage): (Option<(Timestamp, EntryState)>, Vec<String>) = (None, Vec::new());
    for (kind, place, body) in rows {
        let (at, state) = match kind.as_str() {
            "run" => {
                let record: Record = from_json(&body)?;
                let (_, state, _) = write::ended(&record.end);
                insert_run(tx, entry, &place, &record)?;
                if record.kind == RunKind::Refine {
                    continue;
                }
                (record.ended_at, state)
            }
            "adoption" => {
                let adoption: Adoption = from_json(&body)?;
                adopt::insert_known(tx, entry, &place, &adoption)?;
                (adoption.at, EntryState::Done)
            }
            _ => {
                damage.push(body);
                continue;
            }
        };
        newest = newest.max(Some((at, state)));
    }
    tx.send(sql::PRIOR_DELETE_OF_KEY, params)?;
    let by_entry = named_params! { ":entry": entry.0 };
    tx.send(sql::HOLD_DELETE_OF_PERSON, by_entry)?;
    if !damage.is_empty() {
        let reason = format!(
            "{}; restore it and read the records again (`tollgate backlog take-over`)",
            damage.join("; ")
        );
        readiness::hold_for_person(tx, entry, &reason)?;
        return Ok(Some(Standing::Held));
    }
    match newest {
        None => Ok(None),
        Some((_, state)) => {
            readiness::rest(tx, entry, state)?;
            Ok(Some(Standing::Over(state)))
        }
    }
}

/// Whether an item is unknown, or waits: what was begun or ended here is known here.
fn may_run(tx: &Tx<'_>, tracker: &str, key: &str) -> TxResult<bool> {
    let name = EntryName { tracker: tracker.to_owned(), key: key.to_owned() };
    Ok(KnownEntry::find(tx, &name)?.is_none_or(|entry| entry.waits()))
}

fn is_known_run(tx: &Tx<'_>, record: &Record) -> TxResult<bool> {
    let params = named_params! { ":id": record.run.to_string() };
    Ok(tx.one(sql::RUN_EXISTS, params, |_| Ok(()))?.is_some())
}

fn is_known_adoption(tx: &Tx<'_>, adoption: &Adoption) -> TxResult<bool> {
    let params = named_params! { ":id": adoption.id.to_string() };
    Ok(tx.one(sql::ADOPTION_EXISTS, params, |_| Ok(()))?.is_some())
}

fn insert(tx: &Tx<'_>, tracker: &str, found: &FoundAccount) -> TxResult<()> {
    let (kind, at, body) = match &found.account {
        PriorAccount::Run(record) => ("run", record.ended_at, json_of(record)?),
        PriorAccount::Adoption(adoption) => ("adoption", adoption.at, json_of(adoption)?),
        PriorAccount::Damaged(reason) => ("damaged", tx.now, reason.clone()),
    };
    let params = named_params! {
        ":tracker": tracker,
        ":key": found.key,
        ":at": at.as_millis(),
        ":kind": kind,
        ":place": found.place,
        ":body": body,
    };
    tx.send(sql::PRIOR_INSERT, params)
}

/// A run as its record tells it. It keeps the head of a chain whose events are gone.
fn insert_run(tx: &Tx<'_>, entry: EntryId, place: &str, record: &Record) -> TxResult<()> {
    let backlog = record.order.backlog.as_str();
    let lane = named_params! {
        ":backlog": backlog,
        ":pipeline": record.pins.pipeline,
        ":kind": record.kind.as_str(),
        ":pins": record.pins.digest.as_bytes(),
    };
    tx.send(sql::LANE_INSERT_CLOSED, lane)?;
    let (state, _, reason): (RunState, _, _) = write::ended(&record.end);
    let params = named_params! {
        ":id": record.run.to_string(),
        ":entry": entry.0,
        ":backlog": backlog,
        ":pipeline": record.pins.pipeline,
        ":kind": record.kind.as_str(),
        ":round": record.round,
        ":title": record.entry.title,
        ":revision": record.entry.revision.as_bytes(),
        ":pins": record.pins.digest.as_bytes(),
        ":order_facts": json_of(&record.order)?,
        ":state": state.as_str(),
        ":reason": reason,
        ":fence": record.fence,
        ":host": record.host.0,
        ":started_at": record.started_at.as_millis(),
        ":ended_at": record.ended_at.as_millis(),
        ":cost": cents(record.total.cost),
        ":chain_events": record.chain.map(|head| head.events).unwrap_or_default(),
        ":chain_hash": record.chain.map(|head| head.hash.as_bytes().to_vec()).unwrap_or_default(),
    };
    let run = tx.insert(sql::RUN_INSERT_REBUILT, params)?;
    tx.send(sql::BACKLOG_COST_ADD, named_params! { ":backlog": backlog, ":cost": cents(record.total.cost) })?;
    ledger::recall(tx, record)?;
    for effect in &record.effects {
        insert_effect(tx, run, entry, effect)?;
    }
    let became = Delivered::Done { reference: Some(place.to_owned()), data: json!({ "rebuilt": true }) };
    let record_row = Settled { kind: "record", became, ..Settled::default() };
    record_row.insert(tx, run, entry, &json_of(record)?)?;
    if record.kind == RunKind::Work {
        let worked = record.entry.basis.unwrap_or(record.entry.revision);
        let params = named_params! { ":id": entry.0, ":round": record.round, ":worked": worked.as_bytes() };
        tx.send(sql::ENTRY_SET_REBUILT, params)?;
    }
    Ok(())
}

/// An effect, as far as a record tells it: what it left where, so that the next run knows its own work again.
fn insert_effect(tx: &Tx<'_>, run: i64, entry: EntryId, facts: &EffectFacts) -> TxResult<()> {
    let EffectFacts { step, id, kind, became, leaves } = facts;
    let Some(became) = became.clone() else { return Ok(()) };
    let reference = EffectRef { step: step.clone(), id: id.clone() };
    let (path, artifact) = match (&became, kind.as_str()) {
        (Delivered::Done { reference: Some(path), data }, "publish-file") => {
            (Some(path.clone()), data["digest"].as_str().and_then(|digest| digest.parse().ok()))
        }
        _ => (None, None),
    };
    let effect = Effect { id: id.clone(), kind: kind.clone(), body: serde_json::Value::Null, later: false };
    let row = Settled {
        kind: "effect",
        reference: Some(json_of(&reference)?),
        path,
        artifact,
        leaves: *leaves,
        became,
    };
    row.insert(tx, run, entry, &json_of(&effect)?)
}

/// A row of the outbox that was settled before this store was made.
struct Settled {
    kind: &'static str,
    reference: Option<String>,
    path: Option<String>,
    artifact: Option<tollgate_core::Digest>,
    leaves: Option<tollgate_core::Digest>,
    became: Delivered,
}

impl Default for Settled {
    fn default() -> Self {
        let became = Delivered::Done { reference: None, data: serde_json::Value::Null };
        Self { kind: "record", reference: None, path: None, artifact: None, leaves: None, became }
    }
}

impl Settled {
    fn insert(self, tx: &Tx<'_>, run: i64, entry: EntryId, body: &str) -> TxResult<()> {
        let params = named_params! {
            ":run": run,
            ":entry": entry.0,
            ":kind": self.kind,
            ":reference": self.reference,
            ":path": self.path,
            ":artifact": self.artifact.map(|digest| digest.as_bytes().to_vec()),
            ":leaves": self.leaves.map(|digest| digest.as_bytes().to_vec()),
            ":became": json_of(&self.became)?,
            ":now": tx.now.as_millis(),
        };
        tx.send(sql::OUTBOX_INSERT_SETTLED, params)?;
        write::insert_body(tx, body)
    }
}
