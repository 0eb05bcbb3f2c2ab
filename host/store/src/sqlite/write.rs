//! A driver's writes: steps, costs, effects, events and what comes next, all at once.

use rusqlite::named_params;
use serde_json::json;
use tollgate_core::{
    Timestamp,
    course::{EffectRef, End},
    effect::KnownEffect,
    entry::EntryState,
    event::{EventKind, NewEvent},
    record::Record,
    run::{Claim, RunState},
    step::Step,
};

use super::{
    entry::KnownEntry,
    journal,
    ledger::{self, Amounts, Room},
    live_run::LiveRun,
    readiness, sql,
    tx::{Columns, Tx, TxResult, json_of},
};
use crate::{
    StoreError,
    port::{EscrowAnswer, NextState, ReleasedEffect, RunWrite, Wake},
};

/// Writes what a driver did since its last durable point.
pub(super) fn write(tx: &Tx<'_>, write: RunWrite) -> TxResult<()> {
    let mut run = LiveRun::held_by(tx, write.claim)?;
    for step in &write.steps {
        insert_step(tx, &mut run, step)?;
    }
    if let Some(paused) = &write.paused {
        journal::pause(tx, &mut run, paused)?;
    }
    for event in write.events {
        run.append(tx, event)?;
    }
    for released in &write.released {
        release_effect(tx, &run, released)?;
    }
    match write.next {
        NextState::GoOn => {}
        NextState::Wait { wakes, reason } => wait(tx, &mut run, &wakes, reason)?,
        NextState::Finish { end, record } => finish(tx, &mut run, &end, *record)?,
    }
    run.save(tx)
}

/// Sets more aside. Which plugin it is for is not said, so every cap on a plugin of the pipeline must have room for it.
pub(super) fn reserve(
    tx: &Tx<'_>,
    claim: Claim,
    amount: tollgate_core::Microcents,
) -> TxResult<EscrowAnswer> {
    let mut run = LiveRun::held_by(tx, claim)?;
    let answer = set_aside(tx, &mut run, amount)?;
    run.save(tx)?;
    Ok(answer)
}

/// Sets more aside for a run that the caller saves.
pub(super) fn set_aside(
    tx: &Tx<'_>,
    run: &mut LiveRun,
    amount: tollgate_core::Microcents,
) -> TxResult<EscrowAnswer> {
    let mut amounts = Amounts::from([(ledger::PROJECT.to_owned(), amount)]);
    amounts.extend(ledger::tranche(tx, run.pins)?.into_keys().map(|scope| (scope, amount)));
    match ledger::room_for(tx, &amounts)? {
        Room::CapReached { cap, until } => Ok(EscrowAnswer::CapReached { cap, until }),
        Room::Free(reservation) => {
            reservation.book(tx, run)?;
            Ok(EscrowAnswer::Reserved)
        }
    }
}

fn insert_step(tx: &Tx<'_>, run: &mut LiveRun, step: &Step) -> TxResult<()> {
    let params = named_params! {
        ":run": run.seq,
        ":stage": step.key.name.stage,
        ":gate": step.key.name.gate.as_deref().unwrap_or_default(),
        ":rework": step.key.rework,
        ":attempt": step.key.attempt,
        ":body": json_of(step)?,
    };
    tx.run(sql::STEP_INSERT, params)?;
    let row = tx.inserted();
    journal::lose_open(tx, run)?;
    ledger::settle(tx, run, row, step)
}

fn release_effect(tx: &Tx<'_>, run: &LiveRun, released: &ReleasedEffect) -> TxResult<()> {
    let file = match KnownEffect::parse(&released.effect) {
        Ok(KnownEffect::PublishFile(file)) => Some(file),
        // What cannot be parsed is refused when it is delivered, by who knows what the tracker can do.
        Ok(KnownEffect::SetState(_)) | Err(_) => None,
    };
    let params = named_params! {
        ":run": run.seq,
        ":entry": run.entry.0,
        ":kind": "effect",
        ":reference": reference_key(&released.reference)?,
        ":body": json_of(&released.effect)?,
        ":path": file.as_ref().map(|file| file.path.as_str()),
        ":artifact": file.as_ref().map(|file| file.artifact.as_bytes()),
        ":now": tx.now.as_millis(),
    };
    tx.run(sql::OUTBOX_INSERT, params)?;
    Ok(())
}

/// A reference as the text by which the outbox knows it again; fields are written in the order of their declaration.
fn reference_key(reference: &EffectRef) -> TxResult<String> {
    json_of(reference)
}

/// Ends the claim until something happens. What has happened already wakes the run at once, so that nothing is missed.
fn wait(tx: &Tx<'_>, run: &mut LiveRun, wakes: &[Wake], reason: String) -> TxResult<()> {
    let asked = wakes.iter().find_map(|wake| match wake {
        Wake::Approval(ask) => Some(ask),
        Wake::At(_) | Wake::Delivered(_) => None,
    });
    let body = match asked {
        None => json!({ "for": reason }),
        Some(ask) => json!({ "for": reason, "ask": ask }),
    };
    run.append(tx, NewEvent { kind: EventKind::Waiting, body })?;
    run.let_go(tx)?;
    run.state = RunState::Waiting;
    run.reason = Some(reason);
    for (condition, wake) in wakes.iter().enumerate() {
        let met = match wake {
            Wake::At(at) => !insert_time(tx, run, *at)?,
            Wake::Delivered(references) => !insert_deliveries(tx, run, condition, references)?,
            Wake::Approval(ask) => {
                tx.run(sql::ASK_INSERT, named_params! { ":run": run.seq, ":body": json_of(ask)? })?;
                false
            }
        };
        if met {
            run.save(tx)?;
            LiveRun::wake(tx, run.seq, "what it waits for had happened")?;
            *run = LiveRun::get(tx, run.seq)?;
            return Ok(());
        }
    }
    Ok(())
}

/// Whether the time is still to come.
fn insert_time(tx: &Tx<'_>, run: &LiveRun, at: Timestamp) -> TxResult<bool> {
    if at <= tx.now {
        return Ok(false);
    }
    tx.run(sql::WAKE_INSERT, named_params! { ":run": run.seq, ":at": at.as_millis() })?;
    Ok(true)
}

/// Whether any of the deliveries is still to come.
fn insert_deliveries(
    tx: &Tx<'_>,
    run: &LiveRun,
    condition: usize,
    references: &[EffectRef],
) -> TxResult<bool> {
    let mut open = false;
    for reference in references {
        let params = named_params! { ":run": run.seq, ":reference": reference_key(reference)? };
        let found = tx.one(sql::OUTBOX_GET_BY_REFERENCE, params, |row| {
            Ok((row.plain::<i64>("id")?, row.plain::<String>("state")?))
        })?;
        let Some((id, state)) = found else {
            return Err(StoreError::Conflict(format!(
                "run {} waits for the effect `{}` of `{}`, which was never released",
                run.id, reference.id, reference.step
            ))
            .into());
        };
        if state != "settled" {
            let params = named_params! { ":run": run.seq, ":condition": condition, ":outbox": id };
            tx.run(sql::WAKE_DELIVERY_INSERT, params)?;
            open = true;
        }
    }
    Ok(open)
}

/// Ends the run. The last event carries the digest of the record, and the record the chain with that event in it.
fn finish(tx: &Tx<'_>, run: &mut LiveRun, end: &End, mut record: Record) -> TxResult<()> {
    let entry = KnownEntry::get(tx, run.entry)?;
    let (run_state, entry_state, reason) = ended(end);
    run.let_go(tx)?;
    run.state = run_state;
    run.reason = reason.map(str::to_owned);
    run.ended_at = Some(tx.now);
    record.entry.changed_since = entry.revision != run.revision;
    record.chain = None;
    let body = json!({ "state": run_state, "reason": reason, "record": record.digest() });
    run.append(tx, NewEvent { kind: EventKind::Finished, body })?;
    record.chain = Some(run.chain);
    let params = named_params! {
        ":run": run.seq,
        ":entry": run.entry.0,
        ":kind": "record",
        ":reference": None::<String>,
        ":body": json_of(&record)?,
        ":path": None::<String>,
        ":artifact": None::<Vec<u8>>,
        ":now": tx.now.as_millis(),
    };
    tx.run(sql::OUTBOX_INSERT, params)?;
    readiness::set_state(tx, entry.id, entry_state, None)?;
    readiness::tell_dependants_if_changed(tx, &entry, entry_state, entry.closed)
}

/// What becomes of run and entry. A run that a person cancelled leaves its entry as one that failed: to be retried by a person.
fn ended(end: &End) -> (RunState, EntryState, Option<&str>) {
    match end {
        End::Done => (RunState::Done, EntryState::Done, None),
        End::Failed(stopped) => (RunState::Failed, EntryState::Failed, Some(&stopped.reason)),
        End::Escalated { stopped, .. } => (RunState::Escalated, EntryState::Escalated, Some(&stopped.reason)),
        End::Cancelled { reason } => (RunState::Cancelled, EntryState::Failed, Some(reason)),
    }
}
