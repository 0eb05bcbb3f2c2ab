//! The journals of calls.
//!
//! Properties wanted:
//!
//! 1. What a capability cost is settled with its answer, not with the step, which may end days later or never. Until the answer
//!    comes, the most that it can cost is set aside.
//! 2. Whoever stops driving a run leaves no intent open: one whose answer is lost is charged at its largest, in the transaction
//!    that ends the claim. So the money of a call that may have happened is never given back.

use tollgate_core::{
    Digest, Microcents, RunId,
    journal::{Answer, Attempt, Intent, JournalEntry},
    late::Brought,
    pipeline::StepName,
    run::Claim,
    step::StepKey,
};

use super::{
    late, ledger,
    live_run::LiveRun,
    sql,
    tx::{Failure, Row, Tx, TxResult, cents, json_of, named_params},
    write,
};
use crate::{
    StoreError,
    port::{EscrowAnswer, NewIntent, PausedCall},
};

/// The parameters that name an attempt, and more.
macro_rules! attempt_params {
    ($run:expr, $step:expr $(, $name:literal: $value:expr)* $(,)?) => {
        named_params! {
            ":run": $run,
            ":stage": $step.name.stage,
            ":gate": $step.name.gate.as_deref().unwrap_or_default(),
            ":rework": $step.rework,
            ":attempt": $step.attempt,
            $($name: $value,)*
        }
    };
}

/// What an attempt was handed, asked and was told.
pub(super) fn attempt(tx: &Tx<'_>, run: RunId, step: &StepKey) -> TxResult<Option<Attempt>> {
    let run =
        LiveRun::find(tx, run)?.ok_or_else(|| StoreError::NotFound { what: "run", name: run.to_string() })?;
    let of_attempt = attempt_params!(run.seq, step);
    let found =
        tx.one(sql::ATTEMPT_GET, of_attempt, |row| Ok((row.json("begun")?, row.money("charged")?)))?;
    let Some((begun, charged)) = found else { return Ok(None) };
    let journal = tx.all(sql::JOURNAL_LIST, of_attempt, read_entry)?;
    Ok(Some(Attempt { begun, charged, journal }))
}

fn read_entry(row: &Row<'_>) -> TxResult<JournalEntry> {
    Ok(JournalEntry { intent: row.json("intent")?, answer: row.json_or_none("answer")? })
}

/// Makes an intent durable, with its largest cost set aside.
pub(super) fn intend(tx: &Tx<'_>, new: &NewIntent) -> TxResult<EscrowAnswer> {
    let mut run = LiveRun::held_by(tx, new.claim)?;
    let place = attempt_params!(run.seq, new.step, ":call": new.call);
    let missing = new.set_aside.saturating_sub(run.escrow);
    if missing > Microcents::ZERO {
        ledger::foresee_room(tx, run.pins)?;
    }
    if let Some(before) = tx.one(sql::JOURNAL_GET, place, read_entry)? {
        check_repeated(new, &before)?;
    }
    if missing > Microcents::ZERO {
        let answer = write::set_aside(tx, &mut run, missing)?;
        if answer != EscrowAnswer::Reserved {
            return Ok(answer);
        }
        run.save(tx)?;
    }
    begin(tx, &run, &new.step, new.plugin, &new.begun)?;
    let params = attempt_params!(run.seq, new.step, ":call": new.call, ":intent": json_of(&new.intent)?);
    tx.send(sql::JOURNAL_PUT, params)?;
    Ok(EscrowAnswer::Reserved)
}

fn check_repeated(new: &NewIntent, before: &JournalEntry) -> TxResult<()> {
    let (run, step, call) = (new.claim.run, &new.step, new.call);
    if before.answer.is_some() {
        let text = format!("call {call} of `{step}` of run {run} was answered; it is fed, not asked again");
        return Err(StoreError::Conflict(text).into());
    }
    if before.intent != new.intent {
        let text = format!("call {call} of `{step}` of run {run} asked something else before");
        return Err(StoreError::Conflict(text).into());
    }
    Ok(())
}

fn begin(
    tx: &Tx<'_>,
    run: &LiveRun,
    step: &StepKey,
    plugin: Digest,
    begun: &tollgate_core::journal::Begun,
) -> TxResult<()> {
    let params = attempt_params!(
        run.seq, step, ":plugin": plugin.as_bytes(), ":begun": json_of(begun)?,
    );
    tx.send(sql::ATTEMPT_INSERT, params)
}

/// Makes an answer durable, and settles what it cost; whether the driver still had the run.
pub(super) fn answer(
    tx: &Tx<'_>,
    claim: Claim,
    step: &StepKey,
    call: u32,
    answer: &Answer,
) -> TxResult<bool> {
    let brought = || Some(Brought::Answer { step: step.clone(), call, answer: answer.clone() });
    let Some(mut run) = late::held_or_kept(tx, claim, brought)? else { return Ok(false) };
    ledger::foresee_spending(tx, &run)?;
    let open = open_intents(tx, &run)?.into_iter().find(|open| open.step == *step && open.call == call);
    let Some(open) = open else {
        let text = format!("call {call} of `{step}` of run {} awaits no answer", run.id);
        return Err(StoreError::Conflict(text).into());
    };
    let params = attempt_params!(run.seq, step, ":call": call, ":answer": json_of(answer)?);
    tx.send(sql::JOURNAL_ANSWER, params)?;
    charge(tx, &mut run, step, open.plugin, answer.cost, open.intent.reserved)?;
    run.save(tx)?;
    Ok(true)
}

/// Takes back an intent that nobody has begun to act on.
pub(super) fn withdraw(tx: &Tx<'_>, claim: Claim, step: &StepKey, call: u32) -> TxResult<()> {
    let run = LiveRun::held_by(tx, claim)?;
    match tx.run(sql::JOURNAL_WITHDRAW, attempt_params!(run.seq, step, ":call": call))? {
        1 => Ok(()),
        _ => {
            let text = format!("call {call} of `{step}` of run {} awaits no answer", run.id);
            Err(StoreError::Conflict(text).into())
        }
    }
}

/// Charges a call that ended without a step.
pub(super) fn pause(tx: &Tx<'_>, run: &mut LiveRun, paused: &PausedCall) -> TxResult<()> {
    begin(tx, run, &paused.step, paused.plugin, &paused.begun)?;
    charge(tx, run, &paused.step, paused.plugin, paused.cost, paused.cost)
}

/// Says that what awaits an answer is going to be asked, and what was charged by attempt.
pub(super) fn foresee(tx: &Tx<'_>, run: &LiveRun) -> TxResult<()> {
    let of_run = named_params! { ":run": run.seq };
    tx.foresee(sql::JOURNAL_LIST_OPEN, of_run)?;
    tx.foresee(sql::ATTEMPT_LIST, of_run)
}

/// Charges what was sent and not answered at its largest. The caller saves the run.
pub(super) fn lose_open(tx: &Tx<'_>, run: &mut LiveRun) -> TxResult<()> {
    for open in open_intents(tx, run)? {
        tx.send(sql::JOURNAL_LOSE, attempt_params!(run.seq, open.step, ":call": open.call))?;
        let largest = open.intent.reserved;
        charge(tx, run, &open.step, open.plugin, largest, largest)?;
    }
    Ok(())
}

/// What of the costs of a run's steps was settled before they ended.
pub(super) fn charged(tx: &Tx<'_>, run: &LiveRun) -> TxResult<Vec<(StepKey, Microcents)>> {
    tx.all(sql::ATTEMPT_LIST, named_params! { ":run": run.seq }, |row| {
        Ok((read_step(row)?, row.money("charged")?))
    })
}

fn read_step(row: &Row<'_>) -> TxResult<StepKey> {
    let gate = row.plain::<String>("gate")?;
    let name = StepName { stage: row.plain("stage")?, gate: Some(gate).filter(|gate| !gate.is_empty()) };
    Ok(StepKey { name, rework: row.small_count("rework")?, attempt: row.small_count("attempt")? })
}

fn charge(
    tx: &Tx<'_>,
    run: &mut LiveRun,
    step: &StepKey,
    plugin: Digest,
    cost: Microcents,
    set_aside: Microcents,
) -> TxResult<()> {
    ledger::charge(tx, run, plugin, cost, set_aside)?;
    let params = attempt_params!(run.seq, step, ":amount": cents(cost));
    match tx.run(sql::ATTEMPT_CHARGE, params)? {
        1 => Ok(()),
        _ => Err(Failure::damaged(format!("run {} has no attempt `{step}`", run.id))),
    }
}

/// An intent whose answer is awaited.
struct OpenIntent {
    step: StepKey,
    call: u32,
    plugin: Digest,
    intent: Intent,
}

fn open_intents(tx: &Tx<'_>, run: &LiveRun) -> TxResult<Vec<OpenIntent>> {
    tx.all(sql::JOURNAL_LIST_OPEN, named_params! { ":run": run.seq }, |row| {
        Ok(OpenIntent {
            step: read_step(row)?,
            call: row.small_count("call")?,
            plugin: row.digest("plugin")?,
            intent: row.json("intent")?,
        })
    })
}
