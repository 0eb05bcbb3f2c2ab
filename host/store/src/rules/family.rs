//! What entries cost that a run opened counts against the budget of that run.
//!
//! Property wanted, for every live run that opened entries: what it costs and has set aside, and what the runs of these entries cost
//! and have set aside, and so on downwards, stays within its budget. So whoever claims or tops up such a run sets the amount aside in
//! the budget of each run above it, in the same transaction; two that are claimed at once cannot spend the same money, and what is
//! not spent goes back when the run rests. What finds no room leaves the ready index, so that no claim looks at it again before there
//! is some, and comes back in the transaction that makes it.
//!
//! A run that is over has no budget any more, since nothing can be approved for it. What it opened and what is claimed then counts
//! with the live runs further up.

use serde_json::json;
use tollgate_core::{
    EntryId, Microcents,
    approval::{Decision, Word},
    course::End,
    entry::HoldKind,
    event::{EventKind, NewEvent},
    run::RunState,
};

use super::{
    entry::KnownEntry,
    inbox,
    live_run::LiveRun,
    policy,
    readiness::{self, NewHold},
    sql,
    tx::{Tx, TxResult, cents, named_params},
};
use crate::port::{Family, Short};

/// Where this reason stands among others: after those of the guard.
const POSITION: i64 = 950_000;

/// A run that pays, and has too little room.
pub(super) struct ShortPayer {
    payer: i64,
    pub(super) short: Short,
}

/// What is put aside until there is room.
pub(super) struct Unfunded {
    pub(super) entry: EntryId,
    /// The run, where it was begun.
    pub(super) run: Option<i64>,
}

/// Who of those that pay, `payer` and upwards, has no room for an amount.
pub(super) fn short_of(tx: &Tx<'_>, payer: Option<i64>, needed: Microcents) -> TxResult<Option<ShortPayer>> {
    let Some(payer) = payer else { return Ok(None) };
    lock(tx, Some(payer))?;
    let params = named_params! { ":payer": payer, ":amount": cents(needed) };
    tx.one(sql::FAMILY_GET_SHORT, params, |row| {
        let room = Microcents(u64::try_from(row.plain::<i64>("room")?).unwrap_or_default());
        let short = Short { run: row.parsed("id")?, key: row.plain("key")?, room, needed };
        Ok(ShortPayer { payer: row.plain("run_seq")?, short })
    })
}

/// Whether a run that opened entries has no room for more of its own.
pub(super) fn own_short(tx: &Tx<'_>, run: &LiveRun, needed: Microcents) -> TxResult<Option<Short>> {
    let Some(mut family) = of_run(tx, run.seq)? else { return Ok(None) };
    if !tx.is_alone() {
        lock(tx, Some(run.seq))?;
        family = of_run(tx, run.seq)?.unwrap_or(family);
    }
    let room = family.limit.saturating_sub(run.cost + run.escrow + family.settled + family.escrow);
    if needed <= room {
        return Ok(None);
    }
    let key = KnownEntry::get(tx, run.entry)?.name.key;
    Ok(Some(Short { run: run.id, key, room, needed }))
}

/// Says that [`short_of`] is going to be asked; what is counted stays as it is from here on.
pub(super) fn foresee_short(tx: &Tx<'_>, payer: Option<i64>, needed: Microcents) -> TxResult<()> {
    let Some(payer) = payer else { return Ok(()) };
    lock(tx, Some(payer))?;
    tx.foresee(sql::FAMILY_GET_SHORT, named_params! { ":payer": payer, ":amount": cents(needed) })
}

/// What a run and what it opened may cost, and have cost.
pub(super) fn of_run(tx: &Tx<'_>, run: i64) -> TxResult<Option<Family>> {
    tx.one(sql::FAMILY_GET, named_params! { ":run": run }, |row| {
        Ok(Family {
            limit: row.money("limit_amount")?,
            settled: row.money("settled")?,
            escrow: row.money("escrow")?,
        })
    })
}

/// Begins to count what a run opens.
pub(super) fn begin(tx: &Tx<'_>, run: &LiveRun) -> TxResult<()> {
    if of_run(tx, run.seq)?.is_some() {
        return Ok(());
    }
    let decisions = tx.all(sql::INBOX_LIST_DECISIONS, named_params! { ":run": run.seq }, |row| {
        row.json::<Decision>("body")
    })?;
    let added: Microcents = decisions.iter().map(added).sum();
    let limit = policy::pins(tx, run.pins)?.pipeline.budget.cost + added;
    tx.send(sql::FAMILY_INSERT, named_params! { ":run": run.seq, ":limit": cents(limit) })
}

fn added(decision: &Decision) -> Microcents {
    match decision.word {
        Word::Approved { added } => added.cost,
        Word::Rejected => Microcents::ZERO,
    }
}

/// Sets an amount aside with those that pay for a run.
pub(super) fn set_aside(tx: &Tx<'_>, payer: Option<i64>, amount: Microcents) -> TxResult<()> {
    add(tx, payer, 0, cents(amount))
}

/// Moves what a run spent: `from_escrow` of `total` was set aside.
pub(super) fn spend(tx: &Tx<'_>, run: &LiveRun, total: Microcents, from_escrow: Microcents) -> TxResult<()> {
    add(tx, run.payer, cents(total), -cents(from_escrow))
}

/// What a run that rests had set aside goes back.
pub(super) fn give_back(tx: &Tx<'_>, run: &LiveRun) -> TxResult<()> {
    add(tx, run.payer, 0, -cents(run.escrow))
}

fn add(tx: &Tx<'_>, payer: Option<i64>, settled: i64, escrow: i64) -> TxResult<()> {
    let Some(payer) = payer else { return Ok(()) };
    lock(tx, Some(payer))?;
    tx.send(sql::FAMILY_ADD, named_params! { ":payer": payer, ":settled": settled, ":escrow": escrow })
}

/// Has what is counted with a run that pays, and with those above it, stay as it is until the transaction changes it. Everybody takes
/// them from the lowest up, and before the caps.
pub(super) fn lock(tx: &Tx<'_>, payer: Option<i64>) -> TxResult<()> {
    if let Some(payer) = payer
        && !tx.is_alone()
    {
        tx.send(sql::FAMILY_LOCK_LINE, named_params! { ":payer": payer })?;
    }
    Ok(())
}

/// Takes what a run cannot pay for out of the ready index.
pub(super) fn park(tx: &Tx<'_>, unfunded: &Unfunded, short: &ShortPayer) -> TxResult<()> {
    note(tx, unfunded, short)?;
    let reason = short.short.to_string();
    match unfunded.run {
        None => {
            let hold = NewHold {
                position: POSITION,
                kind: HoldKind::Budget,
                subject: &short.short.key,
                reason: Some(&reason),
                until_at: None,
                dependency: None,
            };
            readiness::insert_hold(tx, unfunded.entry, &hold)?;
            settle(tx, unfunded.entry)
        }
        Some(seq) => {
            let mut run = LiveRun::get(tx, seq)?;
            run.unqueue(tx)?;
            // What was sent to it is applied by whoever changes it next, and that is this transaction.
            inbox::apply(tx, &mut run)?;
            run.append(tx, NewEvent { kind: EventKind::Waiting, body: json!({ "for": reason }) })?;
            run.state = RunState::Waiting;
            run.reason = Some(reason);
            run.save(tx)
        }
    }
}

/// Has a run wait until there is room for an amount; false when there is.
pub(super) fn await_room(tx: &Tx<'_>, run: &LiveRun, amount: Microcents) -> TxResult<bool> {
    let Some(short) = short_of(tx, run.payer, amount)? else { return Ok(false) };
    tx.require_alone()?;
    note(tx, &Unfunded { entry: run.entry, run: Some(run.seq) }, &short)?;
    Ok(true)
}

fn note(tx: &Tx<'_>, unfunded: &Unfunded, short: &ShortPayer) -> TxResult<()> {
    let params = named_params! {
        ":entry": unfunded.entry.0,
        ":payer": short.payer,
        ":run": unfunded.run,
        ":amount": cents(short.short.needed),
    };
    tx.send(sql::UNFUNDED_INSERT, params)
}

fn settle(tx: &Tx<'_>, entry: EntryId) -> TxResult<()> {
    let entry = KnownEntry::get(tx, entry)?;
    if entry.is_judged() {
        readiness::settle(tx, entry.id, entry.depends)?;
    }
    Ok(())
}

/// A person lets a run and what it opened cost more.
pub(super) fn raise(tx: &Tx<'_>, run: i64, decision: &Decision) -> TxResult<()> {
    let added = added(decision);
    if added > Microcents::ZERO
        && tx.run(sql::FAMILY_RAISE, named_params! { ":run": run, ":added": cents(added) })? > 0
    {
        room_grew(tx, run)?;
    }
    Ok(())
}

/// Something that counted with `payer` and those above it went back: what waits for it and fits comes back.
pub(super) fn went_back(tx: &Tx<'_>, payer: Option<i64>) -> TxResult<()> {
    let mut next = payer;
    while let Some(payer) = next {
        room_grew(tx, payer)?;
        let params = named_params! { ":run": payer };
        next = tx.one(sql::RUN_GET_PAYER, params, |row| row.plain::<Option<i64>>("payer"))?.flatten();
    }
    Ok(())
}

struct Waiting {
    what: Unfunded,
    amount: Microcents,
}

/// Says that what waits for the money of a run is going to be asked.
pub(super) fn foresee_waiting_for(tx: &Tx<'_>, payer: i64) -> TxResult<()> {
    tx.foresee(sql::UNFUNDED_LIST, named_params! { ":payer": payer })
}

/// What waits for the money of a run. It begins to wait while nobody else changes anything, and goes on while nobody does.
fn waiting_for(tx: &Tx<'_>, payer: i64) -> TxResult<Vec<Waiting>> {
    let waiting = tx.all(sql::UNFUNDED_LIST, named_params! { ":payer": payer }, |row| {
        let what = Unfunded { entry: row.entry_id("entry_id")?, run: row.plain("run_seq")? };
        Ok(Waiting { what, amount: row.money("amount")? })
    })?;
    if !waiting.is_empty() {
        tx.require_alone()?;
    }
    Ok(waiting)
}

fn room_grew(tx: &Tx<'_>, payer: i64) -> TxResult<()> {
    let waiting = waiting_for(tx, payer)?;
    if waiting.is_empty() {
        return Ok(());
    }
    let room = tx
        .one(sql::FAMILY_GET, named_params! { ":run": payer }, |row| {
            let taken = row.money("cost")?
                + row.money("own_escrow")?
                + row.money("settled")?
                + row.money("escrow")?;
            Ok(row.money("limit_amount")?.saturating_sub(taken))
        })?
        .unwrap_or_default();
    let_go_on_within(tx, waiting, room)
}

/// What a run had set aside for itself went back: what it pays for may fit now. The run is not saved yet.
///
/// A run that is over has no budget any more: see [`over`].
pub(super) fn own_went_back(tx: &Tx<'_>, run: &LiveRun) -> TxResult<()> {
    if !run.state.is_live() {
        return Ok(());
    }
    let waiting = waiting_for(tx, run.seq)?;
    if waiting.is_empty() {
        return Ok(());
    }
    let family = of_run(tx, run.seq)?;
    let room = family.map(|family| family.limit.saturating_sub(run.cost + family.settled + family.escrow));
    let_go_on_within(tx, waiting, room.unwrap_or_default())
}

fn let_go_on_within(tx: &Tx<'_>, waiting: Vec<Waiting>, mut room: Microcents) -> TxResult<()> {
    for Waiting { what, amount } in waiting {
        if amount <= room {
            room = room.saturating_sub(amount);
            let_go_on(tx, &what)?;
        }
    }
    Ok(())
}

fn let_go_on(tx: &Tx<'_>, what: &Unfunded) -> TxResult<()> {
    forget(tx, what.entry)?;
    match what.run {
        Some(run) => LiveRun::wake(tx, run, "what opened its entry can pay for it"),
        None => settle(tx, what.entry),
    }
}

/// Nothing of an entry waits for money any more.
pub(super) fn forget(tx: &Tx<'_>, entry: EntryId) -> TxResult<()> {
    let by_entry = named_params! { ":entry": entry.0 };
    tx.send(sql::UNFUNDED_DELETE, by_entry)?;
    tx.send(sql::HOLD_DELETE_OF_BUDGET, by_entry)
}

/// A later run of the entry that opened it asks for it again: what an earlier one could not pay for, or was cancelled with, is let in.
pub(super) fn pay_again(tx: &Tx<'_>, entry: EntryId) -> TxResult<()> {
    match tx.run(sql::HOLD_DELETE_OF_PARENT, named_params! { ":entry": entry.0 })? {
        0 => Ok(()),
        _ => {
            tx.send(sql::UNFUNDED_DELETE, named_params! { ":entry": entry.0 })?;
            settle(tx, entry)
        }
    }
}

/// A run that pays is over, and saved. What waits for its money goes on where its work is done; else entries that were not begun
/// stay held for a person, since nobody waits for them.
pub(super) fn over(tx: &Tx<'_>, run: &LiveRun, end: &End) -> TxResult<()> {
    for Waiting { what, .. } in waiting_for(tx, run.seq)? {
        if *end == End::Done || what.run.is_some() {
            let_go_on(tx, &what)?;
            continue;
        }
        forget(tx, what.entry)?;
        let key = KnownEntry::get(tx, run.entry)?.name.key;
        let child = KnownEntry::get(tx, what.entry)?.name.key;
        let reason = format!(
            "the run of {key} that opened it is {} and had too little money for it; `tollgate backlog admit {child} --why …` \
             lets it in",
            run.state
        );
        let hold = NewHold {
            position: POSITION,
            kind: HoldKind::Budget,
            subject: &key,
            reason: Some(&reason),
            until_at: None,
            dependency: None,
        };
        readiness::insert_hold(tx, what.entry, &hold)?;
    }
    Ok(())
}
