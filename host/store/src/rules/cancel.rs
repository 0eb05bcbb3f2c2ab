//! Runs that a person ends before they are done, with all that they led to.
//!
//! Properties wanted: whatever a run does or waits for, it ends as cancelled as soon as a host holds it, and calls nothing more but
//! what cleans up; what it asked for outside and nobody began to send is not sent; and of what its runs opened nothing begins that has
//! not begun, and what has is cancelled in the same transaction, however deep it lies. What was done stays done.
//!
//! The word goes into the run's inbox, and whoever holds the run applies it: a run that nobody drives is made claimable, and its claim
//! needs no money; the host that drives one looks here and interrupts it.

use serde_json::json;
use tollgate_core::{
    EntryId, HostId, RunId,
    cancel::Cancellation,
    course::EffectRef,
    effect::Delivered,
    entry::{EntryState, HoldKind},
    event::{EventKind, NewEvent},
    lease::Fence,
    run::{Claim, RunState},
};

use super::{
    control,
    entry::KnownEntry,
    family,
    live_run::LiveRun,
    readiness::{self, NewHold},
    sql,
    tx::{Row, Tx, TxResult, json_of, named_params},
    wait,
};
use crate::{
    StoreError,
    port::{Cancelled, NewCancellation},
};

/// Where the reason stands why an entry is held that was not begun: after those of the guard.
const POSITION: i64 = 960_000;

/// Ends a run and what it led to.
pub(super) fn cancel(tx: &Tx<'_>, id: RunId, new: &NewCancellation) -> TxResult<Cancelled> {
    let run = LiveRun::to_change(tx, id)?;
    let key = KnownEntry::get(tx, run.entry)?.name.key;
    if !run.state.is_live() {
        let text = format!("run {id} of {key} is {}; only one that is under way can be cancelled", run.state);
        return Err(StoreError::Conflict(text).into());
    }
    if let Some(before) = asked(tx, run.seq)? {
        let text = format!("run {id} of {key} ends already, since {before}; the next host that runs ends it");
        return Err(StoreError::Conflict(text).into());
    }
    // One whose host vanished is ended by the next.
    let driven = run.lease_until.filter(|until| *until > tx.now);
    let mut cancelled = Cancelled { driven_by: driven.map(|_| run.host.clone()), ..Cancelled::default() };
    let seq = run.seq;
    ask(tx, run, new)?;
    let why = format!("{key}, a run of which led to it, was cancelled: {}", new.why);
    let below = NewCancellation { who: new.who.clone(), why };
    for entry in led_to(tx, seq)? {
        cancel_entry(tx, entry, &below, &mut cancelled)?;
    }
    Ok(cancelled)
}

/// The entries that a run opened, those that runs of these opened, and so on.
fn led_to(tx: &Tx<'_>, run: i64) -> TxResult<Vec<EntryId>> {
    tx.all(sql::CHILD_LIST_BELOW, named_params! { ":run": run }, |row| row.entry_id("entry_id"))
}

fn cancel_entry(tx: &Tx<'_>, id: EntryId, new: &NewCancellation, cancelled: &mut Cancelled) -> TxResult<()> {
    let entry = KnownEntry::get(tx, id)?;
    match entry.state {
        EntryState::Busy => {
            let live =
                tx.all(sql::RUN_LIST_LIVE, named_params! { ":entry": id.0 }, |row| row.plain("seq"))?;
            for seq in live {
                if asked(tx, seq)?.is_none() {
                    ask(tx, LiveRun::get(tx, seq)?, new)?;
                    cancelled.runs.push(entry.name.key.clone());
                }
            }
            Ok(())
        }
        EntryState::New | EntryState::Held | EntryState::Ready => {
            family::forget(tx, id)?;
            tx.send(sql::HOLD_DELETE_OF_PARENT, named_params! { ":entry": id.0 })?;
            let hold = NewHold {
                position: POSITION,
                kind: HoldKind::Cancelled,
                subject: "",
                reason: Some(&new.why),
                until_at: None,
                dependency: None,
            };
            readiness::insert_hold(tx, id, &hold)?;
            readiness::settle(tx, id, entry.depends)?;
            cancelled.held.push(entry.name.key);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Sends the word to a live run. One that waits waits no longer.
fn ask(tx: &Tx<'_>, mut run: LiveRun, new: &NewCancellation) -> TxResult<()> {
    let NewCancellation { who, why } = new;
    let params = named_params! {
        ":run": run.seq,
        ":now": tx.now.as_millis(),
        ":who": who,
        ":kind": "cancel",
        ":body": json_of(&json!({ "who": who, "why": why, "after_steps": 0 }))?,
    };
    tx.send(sql::INBOX_INSERT, params)?;
    control::remember(tx, Some(run.entry), "cancel", Some(who), Some(why))?;
    withhold(tx, &mut run)?;
    run.save(tx)?;
    if run.state == RunState::Waiting {
        rouse(tx, &run)?;
    }
    let reason = Cancellation { who: who.clone(), why: why.clone(), after_steps: 0 }.to_string();
    tx.send(sql::RUN_SET_REASON, named_params! { ":run": run.seq, ":reason": reason })
}

/// Ends whatever a run waits for.
fn rouse(tx: &Tx<'_>, run: &LiveRun) -> TxResult<()> {
    family::forget(tx, run.entry)?;
    wait::answered(tx, run.seq)?;
    LiveRun::wake(tx, run.seq, "a person cancelled it")
}

/// A run that was cancelled while it was driven, and begins to wait, waits for nothing.
pub(super) fn ends_wait(tx: &Tx<'_>, run: &mut LiveRun) -> TxResult<()> {
    if tx.one(sql::INBOX_GET_OPEN_CANCEL, named_params! { ":run": run.seq }, |_| Ok(()))?.is_none() {
        return Ok(());
    }
    run.save(tx)?;
    rouse(tx, run)?;
    *run = LiveRun::get(tx, run.seq)?;
    Ok(())
}

/// Takes back what nobody has begun to send. What may have been sent is sent to its end, as every delivery is.
fn withhold(tx: &Tx<'_>, run: &mut LiveRun) -> TxResult<()> {
    let became = Delivered::Withheld { reason: "its run was cancelled before it was sent".to_owned() };
    let params = named_params! { ":run": run.seq, ":became": json_of(&became)?, ":now": tx.now.as_millis() };
    let read = |row: &Row<'_>| Ok((row.plain::<i64>("id")?, row.json::<EffectRef>("reference")?));
    let mut withheld = tx.all(sql::OUTBOX_WITHHOLD, params, read)?;
    withheld.sort_unstable_by_key(|(id, _)| *id);
    for (_, effect) in withheld {
        let body = json!({ "effect": effect, "became": became });
        run.append(tx, NewEvent { kind: EventKind::Delivered, body })?;
    }
    Ok(())
}

/// Applies the word. The caller holds the run, and saves it.
pub(super) fn apply(tx: &Tx<'_>, run: &mut LiveRun, asked: &Cancellation) -> TxResult<()> {
    withhold(tx, run)?;
    let steps = tx.one(sql::STEP_COUNT, named_params! { ":run": run.seq }, |row| row.count("steps"))?;
    let body = json!({ "who": asked.who, "why": asked.why, "after_steps": steps.unwrap_or_default() });
    run.append(tx, NewEvent { kind: EventKind::Cancelled, body })
}

/// Who ended a run, where somebody did.
pub(super) fn asked(tx: &Tx<'_>, run: i64) -> TxResult<Option<Cancellation>> {
    tx.one(sql::INBOX_GET_CANCEL, named_params! { ":run": run }, |row| row.json("body"))
}

/// The claims of a host whose runs were cancelled since.
pub(super) fn of_host(tx: &Tx<'_>, host: &HostId) -> TxResult<Vec<Claim>> {
    tx.all(sql::INBOX_LIST_CANCELLED, named_params! { ":host": host.0 }, |row| {
        Ok(Claim { run: row.parsed("id")?, fence: Fence(row.plain("fence")?) })
    })
}
