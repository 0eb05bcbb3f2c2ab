//! A driver's writes: steps, costs, effects, events and what comes next, all at once.

use serde_json::json;
use tollgate_core::{
    Digest, Microcents, Timestamp,
    course::{EffectRef, End},
    effect::KnownEffect,
    entry::EntryState,
    event::{EventKind, NewEvent},
    late::Brought,
    record::Record,
    run::{Claim, RunState},
    step::{Step, StepOutcome},
};

use super::{
    cancel, children,
    entry::KnownEntry,
    family, intake, journal, late,
    ledger::{self, Amounts, Room},
    live_run::{LiveRun, WrittenEvent},
    outbox, readiness, sql, supplement,
    tx::{Failure, Tx, TxResult, cents, json_of, named_params},
    wait,
};
use crate::{
    StoreError,
    port::{EscrowAnswer, NextState, PausedCall, ReleasedEffect, RunWrite, Wake},
};

/// What a driver did since its last durable point, with the texts that are kept of it: they are made before the transaction
/// begins, so that nobody waits for it meanwhile.
pub(crate) struct PreparedWrite {
    claim: Claim,
    doing: &'static str,
    paused: Option<PausedCall>,
    steps: Vec<PreparedStep>,
    events: Vec<WrittenEvent>,
    released: Vec<ReleasedEffect>,
    next: NextState,
    /// The digest of the record of a run that ends, as long as the entry did not change since the run began.
    record: Option<Digest>,
}

struct PreparedStep {
    step: Step,
    body: String,
}

impl PreparedWrite {
    pub(super) fn of(mut write: RunWrite) -> TxResult<Self> {
        let doing = write.doing();
        let record = match &mut write.next {
            NextState::Finish { record, .. } => {
                record.entry.changed_since = false;
                record.chain = None;
                Some(record.digest())
            }
            NextState::GoOn | NextState::Wait { .. } => None,
        };
        let prepare = |step| Ok(PreparedStep { body: json_of(&step)?, step });
        Ok(Self {
            claim: write.claim,
            doing,
            paused: write.paused,
            steps: write.steps.into_iter().map(prepare).collect::<TxResult<_>>()?,
            events: write.events.iter().map(WrittenEvent::of).collect(),
            released: write.released,
            next: write.next,
            record,
        })
    }

    /// What it does, as a verb.
    pub(super) fn doing(&self) -> &'static str {
        self.doing
    }

    /// Whether it is about its own run and entry alone, as far as that is known.
    fn is_plain(&self, run: &LiveRun) -> bool {
        let ends_or_goes_on = match &self.next {
            NextState::GoOn | NextState::Finish { refinement: None, .. } => true,
            NextState::Wait { .. } | NextState::Finish { .. } => false,
        };
        ends_or_goes_on && self.paused.is_none() && run.payer.is_none()
    }

    /// How many deliveries it enters.
    fn deliveries(&self) -> usize {
        let after_the_end = match &self.next {
            NextState::Finish { refinement, leaves_entry, .. } => {
                usize::from(refinement.is_none()) + usize::from(*leaves_entry)
            }
            NextState::GoOn | NextState::Wait { .. } => 0,
        };
        self.released.len() + after_the_end
    }

    /// Whether it may cost anything.
    fn spends(&self) -> bool {
        let is_last = !matches!(self.next, NextState::GoOn);
        is_last || self.steps.iter().any(|prepared| prepared.step.usage.cost > Microcents::ZERO)
    }

    /// By what right it is written.
    pub(super) fn claim(&self) -> Claim {
        self.claim
    }

    /// What of it is worth keeping when it comes too late.
    fn brought(&self) -> Option<Brought> {
        let end = match &self.next {
            NextState::Finish { end, .. } => Some(end.clone()),
            NextState::GoOn | NextState::Wait { .. } => None,
        };
        let steps: Vec<_> = self.steps.iter().map(|prepared| prepared.step.clone()).collect();
        (end.is_some() || !steps.is_empty()).then_some(Brought::Steps { steps, end })
    }
}

/// Writes what a driver did; whether it still had the run.
pub(super) fn write(tx: &Tx<'_>, write: &mut PreparedWrite) -> TxResult<bool> {
    let Some(mut run) = late::held_or_kept(tx, write.claim, || write.brought())? else { return Ok(false) };
    foresee(tx, &run, write)?;
    outbox::foresee_numbers(tx, write.deliveries())?;
    let entry = look_ahead(tx, &run, write)?;
    let mut numbers = outbox::numbers(tx, write.deliveries())?.into_iter();
    perform(tx, &mut run, entry, write, &mut numbers)?;
    Ok(true)
}

/// Writes what several drivers did, of different runs: whether each still had its run, and none where it has to be written by itself.
pub(super) fn write_together(tx: &Tx<'_>, writes: &mut [PreparedWrite]) -> TxResult<Vec<Option<bool>>> {
    let ids: Vec<_> = writes.iter().map(|write| write.claim.run).collect();
    if !tx.is_alone() {
        tx.send(sql::RUN_LOCK, named_params! { ":runs": json_of(&ids)? })?;
    }
    ids.iter().try_for_each(|id| LiveRun::foresee_change(tx, *id))?;
    let mut outcomes = Vec::new();
    let mut plain = Vec::new();
    for write in writes {
        let held = late::held_or_kept(tx, write.claim, || write.brought())?;
        outcomes.push(held.is_none().then_some(false));
        if let Some(run) = held.filter(|run| write.is_plain(run)) {
            plain.push((outcomes.len() - 1, run, write));
        }
    }
    ledger::foresee_caps_for_good(tx)?;
    let deliveries = plain.iter().map(|(.., write)| write.deliveries()).sum();
    outbox::foresee_numbers(tx, deliveries)?;
    for (_, run, write) in &plain {
        foresee(tx, run, write)?;
        if let NextState::Finish { .. } = &write.next {
            KnownEntry::foresee(tx, run.entry)?;
            foresee_telling(tx, run)?;
        }
    }
    let mut entries = Vec::new();
    for (_, run, write) in &plain {
        entries.push(look_ahead(tx, run, write)?);
    }
    let spending = plain.iter_mut().filter(|(.., write)| write.spends()).map(|(_, run, _)| run);
    ledger::lock_for_several_runs(tx, spending)?;
    let mut numbers = outbox::numbers(tx, deliveries)?.into_iter();
    tx.ask_foreseen()?;
    // Whoever changes several entries begins with the oldest.
    let mut plain: Vec<_> = plain.into_iter().zip(entries).collect();
    plain.sort_by_key(|((_, run, _), _)| run.entry);
    for ((at, mut run, write), entry) in plain {
        perform(tx, &mut run, entry, write, &mut numbers)?;
        outcomes[at] = Some(true);
    }
    Ok(outcomes)
}

/// Does what is written, of a run that is held; with the numbers of the deliveries that it enters.
fn perform(
    tx: &Tx<'_>,
    run: &mut LiveRun,
    entry: Option<KnownEntry>,
    write: &mut PreparedWrite,
    numbers: &mut impl Iterator<Item = i64>,
) -> TxResult<()> {
    insert_steps(tx, run, &write.steps)?;
    if !write.steps.is_empty() && !matches!(write.next, NextState::Finish { .. }) {
        wait::has_heard(tx, run.seq)?;
    }
    if let Some(paused) = &write.paused {
        journal::pause(tx, run, paused)?;
    }
    for event in &write.events {
        run.append_written(tx, event)?;
    }
    for released in &write.released {
        release_effect(tx, run, released, number(numbers)?)?;
    }
    match &mut write.next {
        NextState::GoOn => {}
        NextState::Wait { wakes, reason } => wait(tx, run, wakes, reason)?,
        NextState::Finish { end, record, leaves_entry, refinement } => {
            let entry = entry.map_or_else(|| KnownEntry::get(tx, run.entry), Ok)?;
            finish(tx, run, &entry, end, record, write.record)?;
            match refinement {
                None => leave_as_it_ended(tx, run, &entry, end, record, number(numbers)?)?,
                Some(refinement) => supplement::refine(tx, run, refinement, record)?,
            }
            if *leaves_entry {
                insert_after_end(tx, run, "leave", &json_of(&run.state)?, number(numbers)?)?;
            }
        }
    }
    if let NextState::Finish { refinement: None, .. } = &write.next {
        foresee_telling(tx, run)?;
    }
    run.save(tx)?;
    match &write.next {
        NextState::Finish { end, refinement: None, .. } => {
            family::over(tx, run, end)?;
            children::tell(tx, run.entry, ended(end).1)
        }
        NextState::Finish { .. } | NextState::GoOn | NextState::Wait { .. } => Ok(()),
    }
}

/// The number of the next delivery.
fn number(numbers: &mut impl Iterator<Item = i64>) -> TxResult<i64> {
    numbers.next().ok_or_else(|| Failure::damaged("it has no number for a delivery"))
}

/// Says what is going to be asked of a run that is written, so that nobody waits for what it spends from longer than need be.
fn foresee(tx: &Tx<'_>, run: &LiveRun, write: &PreparedWrite) -> TxResult<()> {
    journal::foresee(tx, run)?;
    if write.spends() { ledger::foresee_spending(tx, run) } else { Ok(()) }
}

/// Says that those are going to be asked for to whom the end of a run matters.
fn foresee_telling(tx: &Tx<'_>, run: &LiveRun) -> TxResult<()> {
    family::foresee_waiting_for(tx, run.seq)?;
    children::foresee_telling(tx, run.entry)
}

/// The entry of a run that ends, with what else is going to be asked of it.
fn look_ahead(tx: &Tx<'_>, run: &LiveRun, write: &PreparedWrite) -> TxResult<Option<KnownEntry>> {
    let NextState::Finish { end, refinement, .. } = &write.next else { return Ok(None) };
    let entry = KnownEntry::get(tx, run.entry)?;
    if refinement.is_none() {
        readiness::foresee_telling_dependants(tx, &entry, ended(end).1, entry.closed)?;
    }
    Ok(Some(entry))
}

/// Sets more aside. Which plugin it is for is not said, so every cap on a plugin of the pipeline must have room for it.
pub(super) fn reserve(tx: &Tx<'_>, claim: Claim, amount: Microcents) -> TxResult<EscrowAnswer> {
    let mut run = LiveRun::held_by(tx, claim)?;
    let answer = set_aside(tx, &mut run, amount)?;
    run.save(tx)?;
    Ok(answer)
}

/// Sets more aside for a run that the caller saves.
pub(super) fn set_aside(tx: &Tx<'_>, run: &mut LiveRun, amount: Microcents) -> TxResult<EscrowAnswer> {
    if let Some(short) = family::own_short(tx, run, amount)? {
        return Ok(EscrowAnswer::BudgetReached(short));
    }
    let mut amounts = Amounts::from([(ledger::PROJECT.to_owned(), amount)]);
    amounts.extend(ledger::tranche(tx, run.pins)?.into_keys().map(|scope| (scope, amount)));
    match ledger::room_for(tx, &amounts, run.payer)? {
        Room::CapReached { cap, until } => Ok(EscrowAnswer::CapReached { cap, until }),
        Room::Short(short) => Ok(EscrowAnswer::BudgetReached(short.short)),
        Room::Free(reservation) => {
            reservation.book_for(tx, run)?;
            Ok(EscrowAnswer::Reserved)
        }
    }
}

fn insert_steps(tx: &Tx<'_>, run: &mut LiveRun, steps: &[PreparedStep]) -> TxResult<()> {
    for PreparedStep { step, body } in steps {
        let params = named_params! {
            ":run": run.seq,
            ":stage": step.key.name.stage,
            ":gate": step.key.name.gate.as_deref().unwrap_or_default(),
            ":rework": step.key.rework,
            ":attempt": step.key.attempt,
            ":plugin": step.plugin.as_bytes(),
            ":now": tx.now.as_millis(),
            ":fuel": i64::try_from(step.usage.fuel).unwrap_or(i64::MAX),
            ":cost": cents(step.usage.cost),
            ":body": body,
        };
        tx.send(sql::STEP_INSERT, params)?;
        if let StepOutcome::Waits(asked) = &step.outcome {
            wait::keep(tx, run.seq, &step.key, asked)?;
        }
    }
    // What is awaited by now will not come.
    journal::lose_open(tx, run)?;
    ledger::settle(tx, run, steps.iter().map(|prepared| &prepared.step))
}

fn release_effect(tx: &Tx<'_>, run: &LiveRun, released: &ReleasedEffect, number: i64) -> TxResult<()> {
    let file = match KnownEffect::parse(&released.effect) {
        Ok(KnownEffect::PublishFile(file)) => Some(file),
        // What cannot be parsed is refused when it is delivered, by who knows what the tracker can do.
        Ok(KnownEffect::SetState(_) | KnownEffect::OpenEntry(_)) | Err(_) => None,
    };
    let params = named_params! {
        ":id": number,
        ":run": run.seq,
        ":entry": run.entry.0,
        ":kind": "effect",
        ":reference": reference_key(&released.reference)?,
        ":path": file.as_ref().map(|file| file.path.as_str()),
        ":artifact": file.as_ref().map(|file| file.artifact.as_bytes()),
        ":leaves": released.leaves.as_ref().map(Digest::as_bytes),
        ":now": tx.now.as_millis(),
    };
    tx.send(sql::OUTBOX_INSERT, params)?;
    insert_body_of(tx, number, &json_of(&released.effect)?)
}

/// Writes what a delivery delivers.
fn insert_body_of(tx: &Tx<'_>, number: i64, body: &str) -> TxResult<()> {
    tx.send(sql::OUTBOX_BODY_INSERT_OF, named_params! { ":id": number, ":body": body })
}

/// Writes what the row of the outbox delivers that was inserted last.
pub(super) fn insert_body(tx: &Tx<'_>, body: &str) -> TxResult<()> {
    tx.send(sql::OUTBOX_BODY_INSERT, named_params! { ":body": body })
}

/// A reference as the text by which the outbox knows it again; fields are written in the order of their declaration.
fn reference_key(reference: &EffectRef) -> TxResult<String> {
    json_of(reference)
}

/// Ends the claim until something happens. What has happened already wakes the run at once, so that nothing is missed.
fn wait(tx: &Tx<'_>, run: &mut LiveRun, wakes: &[Wake], reason: &str) -> TxResult<()> {
    let asked = wakes.iter().find_map(|wake| match wake {
        Wake::Approval(ask) => Some(ask),
        Wake::At(_) | Wake::Delivered(_) | Wake::Asked | Wake::Paid(_) => None,
    });
    let body = match asked {
        None => json!({ "for": reason }),
        Some(ask) => json!({ "for": reason, "ask": ask }),
    };
    run.append(tx, NewEvent { kind: EventKind::Waiting, body })?;
    run.rest(tx)?;
    run.state = RunState::Waiting;
    run.reason = Some(reason.to_owned());
    for (condition, wake) in wakes.iter().enumerate() {
        let met = match wake {
            Wake::At(at) => !insert_time(tx, run, *at)?,
            Wake::Delivered(references) => !insert_deliveries(tx, run, condition, references)?,
            Wake::Paid(amount) => !family::await_room(tx, run, *amount)?,
            Wake::Asked => {
                if let Some(end) = wait::begin(tx, run)? {
                    run.save(tx)?;
                    wait::end(tx, run.seq, &end)?;
                    *run = LiveRun::get(tx, run.seq)?;
                    return Ok(());
                }
                false
            }
            Wake::Approval(ask) => {
                tx.send(sql::ASK_INSERT, named_params! { ":run": run.seq, ":body": json_of(ask)? })?;
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
    cancel::ends_wait(tx, run)
}

/// Whether the time is still to come.
fn insert_time(tx: &Tx<'_>, run: &LiveRun, at: Timestamp) -> TxResult<bool> {
    if at <= tx.now {
        return Ok(false);
    }
    tx.send(sql::WAKE_INSERT, named_params! { ":run": run.seq, ":at": at.as_millis() })?;
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
            tx.send(sql::WAKE_DELIVERY_INSERT, params)?;
            open = true;
        }
    }
    Ok(open)
}

/// Ends the run; `entry` is as it was until now. The last event carries the digest of the record, and the record the chain with that
/// event in it.
fn finish(
    tx: &Tx<'_>,
    run: &mut LiveRun,
    entry: &KnownEntry,
    end: &End,
    record: &mut Record,
    digest: Option<Digest>,
) -> TxResult<()> {
    let (run_state, _, reason) = ended(end);
    wait::forget(tx, run.seq)?;
    run.state = run_state;
    run.rest(tx)?;
    run.reason = reason.map(str::to_owned);
    run.ended_at = Some(tx.now);
    record.entry.changed_since =
        entry.revision != run.revision && !intake::is_left_by(tx, run.seq, entry.basis)?;
    record.chain = None;
    let digest = digest.filter(|_| !record.entry.changed_since).unwrap_or_else(|| record.digest());
    let body = json!({ "state": run_state, "reason": reason, "record": digest });
    run.append(tx, NewEvent { kind: EventKind::Finished, body })?;
    record.chain = Some(run.chain);
    Ok(())
}

/// The entry is what its run ended as, and the record is on its way.
fn leave_as_it_ended(
    tx: &Tx<'_>,
    run: &LiveRun,
    entry: &KnownEntry,
    end: &End,
    record: &Record,
    number: i64,
) -> TxResult<()> {
    let (_, state, _) = ended(end);
    insert_after_end(tx, run, "record", &json_of(record)?, number)?;
    readiness::set_state(tx, entry.id, state, None)?;
    readiness::tell_dependants_if_changed(tx, entry, state, entry.closed)
}

/// Enters what is delivered after a run has ended.
fn insert_after_end(tx: &Tx<'_>, run: &LiveRun, kind: &str, body: &str, number: i64) -> TxResult<()> {
    let params = named_params! {
        ":id": number,
        ":run": run.seq,
        ":entry": run.entry.0,
        ":kind": kind,
        ":reference": None::<String>,
        ":path": None::<String>,
        ":artifact": None::<Vec<u8>>,
        ":leaves": None::<Vec<u8>>,
        ":now": tx.now.as_millis(),
    };
    tx.send(sql::OUTBOX_INSERT, params)?;
    insert_body_of(tx, number, body)
}

/// What becomes of run and entry. A run that a person cancelled leaves its entry as one that failed: to be retried by a person.
pub(super) fn ended(end: &End) -> (RunState, EntryState, Option<&str>) {
    match end {
        End::Done => (RunState::Done, EntryState::Done, None),
        End::Failed(stopped) => (RunState::Failed, EntryState::Failed, Some(&stopped.reason)),
        End::Escalated { stopped, .. } => (RunState::Escalated, EntryState::Escalated, Some(&stopped.reason)),
        End::Cancelled { reason } => (RunState::Cancelled, EntryState::Failed, Some(reason)),
    }
}
