//! Money: what is set aside at a claim, what steps settle, what goes back.
//!
//! For every cap at every commit: settled + escrow ≤ limit. (A limit that is lowered below what was spent stops dispatch; it does
//! not unspend.) What a run sets aside belongs to the period in which it was set aside, also when it is spent in the next.
//!
//! A cap for the project is charged with every step. A cap for a plugin is charged with that plugin's steps, and a claim sets
//! aside what the pins say that the plugin may use when each of its steps is called once. When rework makes a plugin use more
//! than that share, the rest is settled from what the plugin's cap has left, and what that does not hold is booked as overdraft,
//! which stops dispatch until the next period.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use rusqlite::{Row, named_params};
use tollgate_core::{
    Digest, Microcents, Timestamp,
    ledger::{Cap, CapBalance},
    pins::Pins,
    step::Step,
};

use super::{
    journal,
    live_run::LiveRun,
    sql,
    tx::{Columns, Failure, Tx, TxResult, cents},
};
use crate::StoreError;

/// The scope of caps on everything.
pub(super) const PROJECT: &str = "project";

/// The scope of caps on one plugin.
pub(super) fn scope_of_plugin(plugin: &str) -> String {
    format!("plugin:{plugin}")
}

/// How much is wanted, by scope.
pub(super) type Amounts = BTreeMap<String, Microcents>;

/// Whether caps have room.
pub(super) enum Room {
    /// They have; nothing is booked yet.
    Free(Reservation),
    /// One has not.
    CapReached { cap: Cap, until: Timestamp },
}

/// Money that may be set aside.
pub(super) struct Reservation {
    total: Microcents,
    bookings: Vec<Booking>,
}

struct Booking {
    cap: i64,
    label: String,
    amount: Microcents,
    balance: CapBalance,
}

/// An active cap and its present period.
pub(super) struct ActiveCap {
    id: i64,
    pub(super) cap: Cap,
    pub(super) label: String,
    zone: TimeZone,
}

/// The caps of the applied policy.
pub(super) fn active_caps(tx: &Tx<'_>) -> TxResult<Vec<ActiveCap>> {
    tx.all(sql::CAP_LIST_ACTIVE, [], |row| ActiveCap::read(row, tx.now))
}

impl ActiveCap {
    fn read(row: &Row<'_>, now: Timestamp) -> TxResult<Self> {
        let cap = Cap {
            scope: row.plain("scope")?,
            period: row.word("period")?,
            zone: row.plain("zone")?,
            limit: row.money("limit_amount")?,
        };
        let zone = zone_of(&cap)?;
        Ok(Self { id: row.plain("id")?, label: cap.period.label_at(now, &zone), cap, zone })
    }

    /// Where it stands.
    pub(super) fn balance(&self, tx: &Tx<'_>) -> TxResult<CapBalance> {
        balance(tx, self.id, &self.label)
    }
}

/// The zone whose midnight counts.
///
/// # Errors
///
/// [`StoreError::Conflict`] when there is no zone of this name.
pub(super) fn zone_of(cap: &Cap) -> TxResult<TimeZone> {
    TimeZone::get(&cap.zone).map_err(|e| {
        StoreError::Conflict(format!("the cap `{cap}` names the time zone `{}`: {e}", cap.zone)).into()
    })
}

/// What each plugin may use when every step of the pipeline is called once, and `total` for the project.
pub(super) fn shares(pins: &Pins, total: Microcents) -> Amounts {
    let mut amounts = Amounts::from([(PROJECT.to_owned(), total)]);
    let mut add = |request: &str, fuel: u64| {
        if let Some(plugin) = pins.plugins.get(request) {
            let share = amounts.entry(scope_of_plugin(&plugin.name)).or_default();
            *share = *share + pins.prices.of_fuel(fuel);
        }
    };
    for stage in &pins.pipeline.stages {
        add(&stage.plugin, stage.budget.fuel);
        for gate in &stage.gates {
            add(&gate.plugin, gate.budget.fuel);
        }
    }
    amounts
}

/// What a claim sets aside under these pins.
pub(super) fn tranche(tx: &Tx<'_>, pins: Digest) -> TxResult<Amounts> {
    let params = named_params! { ":pins": pins.as_bytes() };
    let rows = tx.all(sql::TRANCHE_LIST, params, |row| Ok((row.plain("scope")?, row.money("amount")?)))?;
    Ok(rows.into_iter().collect())
}

/// Whether these amounts can be set aside.
pub(super) fn room_for(tx: &Tx<'_>, amounts: &Amounts) -> TxResult<Room> {
    let mut bookings = Vec::new();
    for active in active_caps(tx)? {
        let Some(&amount) = amounts.get(&active.cap.scope) else { continue };
        let Ok(balance) = active.balance(tx)?.reserve(amount, active.cap.limit) else {
            let until = active.cap.period.next_begins_at(tx.now, &active.zone);
            return Ok(Room::CapReached { cap: active.cap, until });
        };
        bookings.push(Booking { cap: active.id, label: active.label, amount, balance });
    }
    let total = amounts.get(PROJECT).copied().unwrap_or_default();
    Ok(Room::Free(Reservation { total, bookings }))
}

impl Reservation {
    /// Sets it aside for a run.
    pub(super) fn book(self, tx: &Tx<'_>, run: &mut LiveRun) -> TxResult<()> {
        for booking in self.bookings {
            put_balance(tx, booking.cap, &booking.label, booking.balance)?;
            let params = named_params! {
                ":run": run.seq,
                ":cap": booking.cap,
                ":label": booking.label,
                ":amount": cents(booking.amount),
            };
            tx.run(sql::ESCROW_ADD, params)?;
        }
        run.escrow = run.escrow + self.total;
        Ok(())
    }
}

/// Moves the cost of a step from what is set aside to what is spent, without what was moved before it ended.
///
/// # Errors
///
/// [`StoreError::Conflict`] when less was set aside for the run.
pub(super) fn settle(tx: &Tx<'_>, run: &mut LiveRun, step_row: i64, step: &Step) -> TxResult<()> {
    let cost = step.usage.cost;
    let left = cost.saturating_sub(journal::charged(tx, run, &step.key)?);
    if left > run.escrow {
        return Err(StoreError::Conflict(format!(
            "the step `{}` cost {cost}, and {} were set aside for run {}; reserve more before the call",
            step.key, run.escrow, run.id
        ))
        .into());
    }
    let params = named_params! {
        ":step": step_row,
        ":run": run.seq,
        ":plugin": step.plugin.as_bytes(),
        ":now": tx.now.as_millis(),
        ":fuel": i64::try_from(step.usage.fuel).unwrap_or(i64::MAX),
        ":cost": cents(cost),
    };
    tx.run(sql::LEDGER_INSERT, params)?;
    charge(tx, run, step.plugin, left, left)
}

/// Moves `cost` to what is spent: as much of it as `set_aside` says from what is set aside, the rest from what caps have left.
pub(super) fn charge(
    tx: &Tx<'_>,
    run: &mut LiveRun,
    plugin: Digest,
    cost: Microcents,
    set_aside: Microcents,
) -> TxResult<()> {
    if cost == Microcents::ZERO {
        return Ok(());
    }
    tx.run(sql::BACKLOG_COST_ADD, named_params! { ":backlog": run.backlog, ":cost": cents(cost) })?;
    let from_escrow = cost.min(set_aside).min(run.escrow);
    run.escrow = run.escrow.saturating_sub(from_escrow);
    run.cost = run.cost + cost;

    let mut owed = owed_by_cap(tx, plugin, from_escrow)?;
    for part in escrow_of(tx, run.seq)? {
        let Some((_, owed)) = owed.iter_mut().find(|(active, _)| active.id == part.cap) else { continue };
        let amount = part.amount.min(*owed);
        let params = named_params! {
            ":run": run.seq, ":cap": part.cap, ":label": part.label, ":amount": cents(amount),
        };
        tx.run(sql::ESCROW_TAKE, params)?;
        let settled = balance(tx, part.cap, &part.label)?.settle(amount).map_err(Failure::damaged)?;
        put_balance(tx, part.cap, &part.label, settled)?;
        *owed = owed.saturating_sub(amount);
    }
    for (active, owed) in owed {
        settle_beyond_escrow(tx, &active, owed + cost.saturating_sub(from_escrow))?;
    }
    Ok(())
}

/// What goes back when a run rests.
pub(super) fn give_back(tx: &Tx<'_>, run: &mut LiveRun) -> TxResult<()> {
    for part in escrow_of(tx, run.seq)? {
        let left = balance(tx, part.cap, &part.label)?.release(part.amount).map_err(Failure::damaged)?;
        put_balance(tx, part.cap, &part.label, left)?;
    }
    tx.run(sql::ESCROW_DELETE, named_params! { ":run": run.seq })?;
    run.escrow = Microcents::ZERO;
    Ok(())
}

/// The active caps that a step of this plugin is charged to, each with all of the cost.
fn owed_by_cap(tx: &Tx<'_>, plugin: Digest, cost: Microcents) -> TxResult<Vec<(ActiveCap, Microcents)>> {
    let caps = active_caps(tx)?;
    let of_plugins = caps.iter().any(|active| active.cap.scope != PROJECT);
    let params = named_params! { ":digest": plugin.as_bytes() };
    let scope = match of_plugins {
        true => tx.one(sql::PLUGIN_VERSION_GET_NAME, params, |row| row.plain::<String>("name"))?,
        false => None,
    };
    let scope = scope.map(|name| scope_of_plugin(&name));
    let charged =
        |active: &ActiveCap| active.cap.scope == PROJECT || Some(&active.cap.scope) == scope.as_ref();
    Ok(caps.into_iter().filter(charged).map(|active| (active, cost)).collect())
}

fn settle_beyond_escrow(tx: &Tx<'_>, active: &ActiveCap, owed: Microcents) -> TxResult<()> {
    if owed == Microcents::ZERO {
        return Ok(());
    }
    let before = active.balance(tx)?;
    let after = match before.reserve(owed, active.cap.limit) {
        Ok(reserved) => reserved.settle(owed).map_err(Failure::damaged)?,
        Err(_) => CapBalance { overdraft: before.overdraft + owed, ..before },
    };
    put_balance(tx, active.id, &active.label, after)
}

struct EscrowPart {
    cap: i64,
    label: String,
    amount: Microcents,
}

fn escrow_of(tx: &Tx<'_>, run_seq: i64) -> TxResult<Vec<EscrowPart>> {
    tx.all(sql::ESCROW_LIST, named_params! { ":run": run_seq }, |row| {
        Ok(EscrowPart { cap: row.plain("cap_id")?, label: row.plain("label")?, amount: row.money("amount")? })
    })
}

fn balance(tx: &Tx<'_>, cap: i64, label: &str) -> TxResult<CapBalance> {
    let params = named_params! { ":cap": cap, ":label": label };
    let balance = tx.one(sql::CAP_PERIOD_GET, params, |row| {
        Ok(CapBalance {
            settled: row.money("settled")?,
            escrow: row.money("escrow")?,
            overdraft: row.money("overdraft")?,
        })
    })?;
    Ok(balance.unwrap_or_default())
}

fn put_balance(tx: &Tx<'_>, cap: i64, label: &str, balance: CapBalance) -> TxResult<()> {
    let params = named_params! {
        ":cap": cap,
        ":label": label,
        ":settled": cents(balance.settled),
        ":escrow": cents(balance.escrow),
        ":overdraft": cents(balance.overdraft),
    };
    tx.run(sql::CAP_PERIOD_PUT, params)?;
    Ok(())
}
