//! Money: what is set aside at a claim, what steps settle, what goes back.
//!
//! For every cap at every commit: settled + escrow ≤ limit. (A limit that is lowered below what was spent stops dispatch; it does
//! not unspend.) What a run sets aside belongs to the period in which it was set aside, also when it is spent in the next.
//!
//! A cap for the project is charged with every step. A cap for a plugin is charged with that plugin's steps, and a claim sets
//! aside what the pins say that the plugin may use when each of its steps is called once. When rework makes a plugin use more
//! than that share, the rest is settled from what the plugin's cap has left, and what that does not hold is booked as overdraft,
//! which stops dispatch until the next period.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use tollgate_core::{
    Digest, Microcents, Timestamp,
    ledger::{Cap, CapBalance},
    pins::Pins,
    record::Record,
    step::Step,
};

use super::{
    balances::{self, Balances, Period},
    family::{self, ShortPayer},
    journal,
    live_run::LiveRun,
    sql,
    tx::{Failure, Row, Tx, TxResult, cents, named_params},
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
    /// They have, and a run that pays has not.
    Short(ShortPayer),
}

/// Money that may be set aside.
pub(super) struct Reservation {
    total: Microcents,
    bookings: Vec<Booking>,
    balances: Balances,
    payer: Option<i64>,
}

struct Booking {
    period: Period,
    amount: Microcents,
    /// Where the cap stands with it.
    balance: CapBalance,
}

/// What is set aside for a run, by cap and by the period in which it was: read once in a transaction, and then as that left it.
pub(super) struct Purse {
    parts: Vec<EscrowPart>,
    balances: Balances,
}

struct EscrowPart {
    period: Period,
    amount: Microcents,
}

/// An active cap and its present period.
pub(super) struct ActiveCap {
    id: i64,
    pub(super) cap: Cap,
    pub(super) label: String,
    pub(super) zone: TimeZone,
}

/// The caps of the applied policy.
pub(super) fn active_caps(tx: &Tx<'_>) -> TxResult<Vec<ActiveCap>> {
    tx.all(sql::CAP_LIST_ACTIVE, &[], |row| ActiveCap::read(row, tx.now))
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

    /// Its present period.
    fn present(&self) -> Period {
        (self.id, self.label.clone())
    }

    /// Where it stands.
    pub(super) fn balance(&self, tx: &Tx<'_>) -> TxResult<CapBalance> {
        balances::get(tx, &self.present())
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

/// Says that it is going to be asked whether there is room under these pins.
pub(super) fn foresee_room(tx: &Tx<'_>, pins: Digest) -> TxResult<()> {
    tx.foresee(sql::CAP_LIST_ACTIVE, &[])?;
    tx.foresee(sql::TRANCHE_LIST, named_params! { ":pins": pins.as_bytes() })
}

/// Says that caps are going to be asked for again and again.
pub(super) fn foresee_caps_for_good(tx: &Tx<'_>) -> TxResult<()> {
    tx.foresee_for_good(sql::CAP_LIST_ACTIVE, &[])
}

/// The same of several claims in one transaction.
pub(super) fn foresee_room_for_good(tx: &Tx<'_>, pins: Digest) -> TxResult<()> {
    foresee_caps_for_good(tx)?;
    tx.foresee_for_good(sql::TRANCHE_LIST, named_params! { ":pins": pins.as_bytes() })
}

/// Takes what several claims under these pins may book, in the order in which everybody takes it.
pub(super) fn lock_for_several(tx: &Tx<'_>, pins: impl Iterator<Item = Digest>) -> TxResult<()> {
    let mut scopes = BTreeSet::new();
    for pins in pins.collect::<BTreeSet<_>>() {
        let tranche = tranche(tx, pins)?.into_iter();
        scopes.extend(tranche.filter(|(_, amount)| *amount != Microcents::ZERO).map(|(scope, _)| scope));
    }
    if scopes.is_empty() {
        return Ok(());
    }
    let booked = active_caps(tx)?.into_iter().filter(|active| scopes.contains(&active.cap.scope));
    Balances::default().read(tx, booked.map(|active| active.present()))
}

/// Takes what several runs may spend or give back, in the order in which everybody takes it.
pub(super) fn lock_for_several_runs<'r>(
    tx: &Tx<'_>,
    runs: impl Iterator<Item = &'r mut LiveRun>,
) -> TxResult<()> {
    let mut periods = BTreeSet::new();
    for run in runs {
        let purse = Purse::of(tx, run)?;
        periods.extend(purse.parts.iter().map(|part| part.period.clone()));
        periods.extend(active_caps(tx)?.iter().map(ActiveCap::present));
        run.purse = Some(purse);
    }
    Balances::default().read(tx, periods)
}

/// Says that what is set aside for a run is going to be spent, or to go back.
pub(super) fn foresee_spending(tx: &Tx<'_>, run: &LiveRun) -> TxResult<()> {
    tx.foresee(sql::CAP_LIST_ACTIVE, &[])?;
    tx.foresee(sql::ESCROW_LIST, named_params! { ":run": run.seq })
}

/// Whether these amounts can be set aside, for which `payer` pays besides.
pub(super) fn room_for(tx: &Tx<'_>, amounts: &Amounts, payer: Option<i64>) -> TxResult<Room> {
    let total = amounts.get(PROJECT).copied().unwrap_or_default();
    family::foresee_short(tx, payer, total)?;
    let caps = active_caps(tx)?;
    let wanted: Vec<_> = caps
        .into_iter()
        .filter_map(|active| amounts.get(&active.cap.scope).copied().map(|amount| (active, amount)))
        .collect();
    let (booked, looked_at): (Vec<_>, Vec<_>) =
        wanted.iter().partition(|(_, amount)| *amount != Microcents::ZERO);
    looked_at.into_iter().try_for_each(|(active, _)| balances::foresee(tx, &active.present()))?;
    let mut balances = Balances::default();
    balances.read(tx, booked.into_iter().map(|(active, _)| active.present()))?;
    let mut bookings = Vec::new();
    for (active, amount) in wanted {
        let period = active.present();
        let before = match amount {
            Microcents::ZERO => active.balance(tx)?,
            _ => balances.of(&period)?,
        };
        let Ok(balance) = before.reserve(amount, active.cap.limit) else {
            let until = active.cap.period.next_begins_at(tx.now, &active.zone);
            return Ok(Room::CapReached { cap: active.cap, until });
        };
        if amount != Microcents::ZERO {
            bookings.push(Booking { period, amount, balance });
        }
    }
    match family::short_of(tx, payer, total)? {
        Some(short) => Ok(Room::Short(short)),
        None => Ok(Room::Free(Reservation { total, bookings, balances, payer })),
    }
}

impl Reservation {
    /// How much a run may spend of it.
    pub(super) fn total(&self) -> Microcents {
        self.total
    }

    /// The run that pays for it.
    pub(super) fn payer(&self) -> Option<i64> {
        self.payer
    }

    /// Sets it aside for a run that the caller saves.
    pub(super) fn book_for(self, tx: &Tx<'_>, run: &mut LiveRun) -> TxResult<()> {
        run.escrow = run.escrow + self.total;
        run.purse = None;
        self.book(tx, run.seq)
    }

    /// Sets it aside for the run in this row, whose escrow grows by the total.
    pub(super) fn book(mut self, tx: &Tx<'_>, run_seq: i64) -> TxResult<()> {
        family::set_aside(tx, self.payer, self.total)?;
        for Booking { period, amount, balance } in self.bookings {
            let params = named_params! {
                ":run": run_seq, ":cap": period.0, ":label": period.1, ":amount": cents(amount),
            };
            tx.send(sql::ESCROW_ADD, params)?;
            self.balances.put(tx, period, balance)?;
        }
        Ok(())
    }
}

impl Purse {
    /// What is set aside for a run; it is put back there by whoever goes on with it.
    fn of(tx: &Tx<'_>, run: &mut LiveRun) -> TxResult<Self> {
        if let Some(known) = run.purse.take() {
            return Ok(known);
        }
        let parts = tx.all(sql::ESCROW_LIST, named_params! { ":run": run.seq }, |row| {
            Ok(EscrowPart {
                period: (row.plain("cap_id")?, row.plain("label")?),
                amount: row.money("amount")?,
            })
        })?;
        Ok(Self { parts, balances: Balances::default() })
    }
}

/// Moves the cost of steps from what is set aside to what is spent, without what was moved before they ended.
///
/// # Errors
///
/// [`StoreError::Conflict`] when less was set aside for the run.
pub(super) fn settle<'s>(
    tx: &Tx<'_>,
    run: &mut LiveRun,
    steps: impl IntoIterator<Item = &'s Step>,
) -> TxResult<()> {
    let charged = journal::charged(tx, run)?;
    let mut set_aside = run.escrow;
    let mut costs = Costs::new();
    for step in steps {
        let before = charged.iter().find(|(key, _)| *key == step.key).map(|(_, charged)| *charged);
        let cost = step.usage.cost.saturating_sub(before.unwrap_or_default());
        if cost > set_aside {
            return Err(StoreError::Conflict(format!(
                "the step `{}` cost {cost}, and {set_aside} were set aside for run {}; reserve more before the call",
                step.key, run.id
            ))
            .into());
        }
        set_aside = set_aside.saturating_sub(cost);
        let of_plugin = costs.entry(step.plugin).or_default();
        *of_plugin = *of_plugin + cost;
    }
    spend(tx, run, &costs, Microcents::ZERO)
}

/// Moves `cost` to what is spent: as much of it as `set_aside` says from what is set aside, the rest from what caps have left.
pub(super) fn charge(
    tx: &Tx<'_>,
    run: &mut LiveRun,
    plugin: Digest,
    cost: Microcents,
    set_aside: Microcents,
) -> TxResult<()> {
    let from_escrow = cost.min(set_aside).min(run.escrow);
    spend(tx, run, &Costs::from([(plugin, from_escrow)]), cost.saturating_sub(from_escrow))
}

/// What the calls of each component cost.
type Costs = BTreeMap<Digest, Microcents>;

/// Moves `costs` from what is set aside to what is spent, and `beyond`, of the same components, from what caps have left.
fn spend(tx: &Tx<'_>, run: &mut LiveRun, costs: &Costs, beyond: Microcents) -> TxResult<()> {
    let from_escrow: Microcents = costs.values().copied().sum();
    let total = from_escrow + beyond;
    if total == Microcents::ZERO {
        return Ok(());
    }
    tx.send(sql::BACKLOG_COST_ADD, named_params! { ":backlog": run.backlog, ":cost": cents(total) })?;
    run.escrow = run.escrow.saturating_sub(from_escrow);
    run.cost = run.cost + total;
    family::spend(tx, run, total, from_escrow)?;
    let mut owed = owed_by_cap(tx, costs, from_escrow)?;
    let Purse { mut parts, mut balances } = Purse::of(tx, run)?;
    let set_aside = parts.iter().map(|part| part.period.clone());
    balances.read(tx, set_aside.chain(owed.iter().map(|(active, _)| active.present())))?;
    for part in &mut parts {
        let Some((_, owed)) = owed.iter_mut().find(|(active, _)| active.id == part.period.0) else {
            continue;
        };
        let amount = part.amount.min(*owed);
        let (cap, label) = &part.period;
        let params =
            named_params! { ":run": run.seq, ":cap": cap, ":label": label, ":amount": cents(amount) };
        tx.send(sql::ESCROW_TAKE, params)?;
        let settled = balances.of(&part.period)?.settle(amount).map_err(Failure::damaged)?;
        balances.put(tx, part.period.clone(), settled)?;
        part.amount = part.amount.saturating_sub(amount);
        *owed = owed.saturating_sub(amount);
    }
    for (active, owed) in owed {
        settle_beyond_escrow(tx, &mut balances, &active, owed + beyond)?;
    }
    run.purse = Some(Purse { parts, balances });
    Ok(())
}

/// Counts what a run of another store cost in the periods in which it ended; a cap that has no room for it is overdrawn.
pub(super) fn recall(tx: &Tx<'_>, record: &Record) -> TxResult<()> {
    let mut costs = Costs::new();
    for step in &record.steps {
        let of_plugin = costs.entry(step.plugin).or_default();
        *of_plugin = *of_plugin + step.usage.cost;
    }
    for (active, owed) in owed_by_cap(tx, &costs, record.total.cost)? {
        let label = active.cap.period.label_at(record.ended_at, &active.zone);
        let active = ActiveCap { label, ..active };
        let mut balances = Balances::default();
        balances.read(tx, [active.present()])?;
        settle_beyond_escrow(tx, &mut balances, &active, owed)?;
    }
    Ok(())
}

/// What goes back when a run rests.
pub(super) fn give_back(tx: &Tx<'_>, run: &mut LiveRun) -> TxResult<()> {
    family::lock(tx, run.payer)?;
    let Purse { parts, mut balances } = Purse::of(tx, run)?;
    let left = || parts.iter().filter(|part| part.amount != Microcents::ZERO);
    balances.read(tx, left().map(|part| part.period.clone()))?;
    for part in left() {
        let released = balances.of(&part.period)?.release(part.amount).map_err(Failure::damaged)?;
        balances.put(tx, part.period.clone(), released)?;
    }
    if !parts.is_empty() {
        tx.send(sql::ESCROW_DELETE, named_params! { ":run": run.seq })?;
    }
    if run.escrow == Microcents::ZERO {
        return Ok(());
    }
    if run.payer.is_some() {
        family::give_back(tx, run)?;
        family::went_back(tx, run.payer)?;
    }
    run.escrow = Microcents::ZERO;
    family::own_went_back(tx, run)
}

/// What each active cap is charged: one on the project with everything, one on a plugin with what that plugin's versions cost.
fn owed_by_cap(tx: &Tx<'_>, costs: &Costs, total: Microcents) -> TxResult<Vec<(ActiveCap, Microcents)>> {
    let caps = active_caps(tx)?;
    let mut owed = Amounts::from([(PROJECT.to_owned(), total)]);
    if caps.iter().any(|active| active.cap.scope != PROJECT) {
        for plugin in costs.keys() {
            tx.foresee(sql::PLUGIN_VERSION_GET_NAME, named_params! { ":digest": plugin.as_bytes() })?;
        }
        for (plugin, &cost) in costs {
            let params = named_params! { ":digest": plugin.as_bytes() };
            let name = tx.one(sql::PLUGIN_VERSION_GET_NAME, params, |row| row.plain::<String>("name"))?;
            let Some(name) = name else { continue };
            let of_scope = owed.entry(scope_of_plugin(&name)).or_default();
            *of_scope = *of_scope + cost;
        }
    }
    let charged = |active: ActiveCap| owed.get(&active.cap.scope).copied().map(|cost| (active, cost));
    Ok(caps.into_iter().filter_map(charged).collect())
}

/// What fits under the cap is spent, the rest is an overdraft.
fn settle_beyond_escrow(
    tx: &Tx<'_>,
    balances: &mut Balances,
    active: &ActiveCap,
    owed: Microcents,
) -> TxResult<()> {
    if owed == Microcents::ZERO {
        return Ok(());
    }
    let before = balances.of(&active.present())?;
    let fits = before.room(active.cap.limit).min(owed);
    let reserved = before.reserve(fits, active.cap.limit).and_then(|reserved| reserved.settle(fits));
    let settled = reserved.map_err(Failure::damaged)?;
    let overdraft = settled.overdraft + owed.saturating_sub(fits);
    balances.put(tx, active.present(), CapBalance { overdraft, ..settled })
}
