//! Claims and leases: who drives what, until when, and what becomes of it when nobody does any more.

use std::time::Duration;

use serde_json::json;
use tollgate_core::{
    Digest, EntryId, HostId, LaneId, RunId, Timestamp,
    event::{EventKind, NewEvent},
    id::DeliveryId,
    lease::Fence,
    ledger::Cap,
    run::{Claim, RunKind},
};

use super::{
    cancel, control,
    family::{self, Unfunded},
    inbox,
    ledger::{self, Amounts, Reservation, Room},
    live_run::LiveRun,
    newborn::{self, Newborn, ServedLane},
    report, rows, sql,
    tx::{Failure, Row, Tx, TxResult, json_of, named_params},
};
use crate::{
    StoreError,
    port::{ClaimOutcome, ClaimRequest, ClaimedRun, OpenWork, StopMode, Sweep},
    schema,
    sql::Query,
};

/// A lane that something waits in.
pub(super) struct WaitingLane {
    pub(super) id: LaneId,
    pub(super) pins: Digest,
    pub(super) kind: RunKind,
    pub(super) pipeline: String,
    /// Its own virtual time.
    pub(super) vtime: i64,
    /// The virtual time that was served last, whichever lane that was.
    pub(super) served: i64,
    /// The virtual time that it is served at.
    turn: i64,
    /// Whether the applied policy has it. What began in one that it has no more goes on, as it is pinned; nothing begins there.
    pub(super) is_open: bool,
}

/// So many claims may be for refining before the first is for work that waits since. What comes first among entries is known when
/// they are refined, and refining a backlog that comes in at once is not to keep others waiting without end: beyond this they take
/// turns.
const REFINE_HEAD_START: i64 = 1_000;

/// What a lane would give next.
pub(super) struct Head {
    pub(super) rank_key: Vec<u8>,
    pub(super) entry: EntryId,
    pub(super) run: Option<i64>,
    /// The run that pays for a new run of the entry.
    pub(super) payer: Option<i64>,
}

/// What a claim takes, when it takes anything.
enum First {
    Found(WaitingLane, Head, Reservation),
    /// Something waits, and a cap has no room.
    CapReached {
        cap: Cap,
        until: Timestamp,
    },
    Nothing,
}

/// Claims the first thing that can be paid for, trying the heads of the lanes in the order in which these are due.
///
/// A claim whose answer was lost is given again to the host that repeats its request, as long as it holds.
pub(super) fn claim(tx: &Tx<'_>, request: &ClaimRequest) -> TxResult<ClaimOutcome> {
    tx.foresee(sql::CONTROL_GET, &[])?;
    tx.foresee(sql::STORE_GET, &[])?;
    tx.foresee(sql::LANE_LIST_WAITING, &[])?;
    if let Some(run) = LiveRun::find(tx, request.new_run)? {
        return claimed_before(tx, request, &run);
    }
    let stop = control::stop_in_force(tx)?.map(|(stop, _)| stop.mode);
    if stop == Some(StopMode::Now) {
        return Ok(ClaimOutcome::Stopped);
    }
    match first(tx, request, stop.is_some())? {
        First::Found(lane, head, reservation) => take(tx, request, lane, head, reservation),
        First::CapReached { cap, until } => Ok(ClaimOutcome::CapReached { cap, until }),
        First::Nothing if stop.is_some() => Ok(ClaimOutcome::Stopped),
        First::Nothing => Ok(ClaimOutcome::Nothing),
    }
}

/// What is left to do when nothing can be claimed; nobody claims anything in between, since the transaction is alone.
pub(super) fn left_besides(tx: &Tx<'_>, request: &ClaimRequest) -> TxResult<Option<OpenWork>> {
    let stop = control::stop_in_force(tx)?.map(|(stop, _)| stop.mode);
    let may_claim = stop != Some(StopMode::Now);
    if may_claim && matches!(first(tx, request, stop.is_some())?, First::Found(..)) {
        return Ok(None);
    }
    report::open_work(tx).map(Some)
}

fn first(tx: &Tx<'_>, request: &ClaimRequest, is_stopped: bool) -> TxResult<First> {
    let (mut reached, mut passed_over) = (First::Nothing, false);
    for lane in lanes_in_turn(tx, request)? {
        let only_begun = request.only_begun || is_stopped || !lane.is_open;
        loop {
            ledger::foresee_room(tx, lane.pins)?;
            let Some(head) = head(tx, request, lane.id)? else {
                passed_over |= !tx.is_alone() && is_head_in_hand(tx, request, lane.id)?;
                break;
            };
            // Begun runs come first in their lane, so behind an entry there are none.
            if only_begun && head.run.is_none() {
                break;
            }
            match room_for_head(tx, &lane, &head)? {
                Room::Free(reservation) => return Ok(First::Found(lane, head, reservation)),
                Room::CapReached { cap, until } => {
                    if matches!(reached, First::Nothing) {
                        reached = First::CapReached { cap, until };
                    }
                    break;
                }
                // It leaves the index, so the next head is another.
                Room::Short(short) => {
                    tx.require_alone()?;
                    family::park(tx, &Unfunded { entry: head.entry, run: head.run }, &short)?;
                }
            }
        }
    }
    if passed_over {
        // Whether it is taken or comes back is known when nobody else has it in hand.
        tx.require_alone()?;
    }
    Ok(reached)
}

fn claimed_before(tx: &Tx<'_>, request: &ClaimRequest, run: &LiveRun) -> TxResult<ClaimOutcome> {
    if run.host != request.host || run.lease_until.is_none() {
        return Err(StoreError::Conflict(format!("there is a run {} already; use a new id", run.id)).into());
    }
    claimed(tx, run, false)
}

/// The lane that is due first before the others. One that had nothing for a while is not owed for that time: it counts from the
/// virtual time that was served last.
pub(super) fn lanes_in_turn(tx: &Tx<'_>, request: &ClaimRequest) -> TxResult<Vec<WaitingLane>> {
    let about = |row: &Row<'_>| {
        schema::require_usable(row)?;
        row.plain::<i64>("vtime")
    };
    let served = tx.one(sql::STORE_GET, &[], about)?.unwrap_or_default();
    let mut lanes = tx.all(sql::LANE_LIST_WAITING, &[], |row| {
        Ok(WaitingLane {
            id: LaneId(row.plain("id")?),
            pins: row.digest("pins")?,
            kind: row.word("kind")?,
            pipeline: row.plain("pipeline")?,
            vtime: row.plain("vtime")?,
            served,
            turn: served,
            is_open: row.plain("open")?,
        })
    })?;
    // Whoever names lanes knows those of the applied policy.
    lanes.retain(|lane| !lane.is_open || request.lanes.contains(&lane.id));
    for lane in &mut lanes {
        lane.turn = turn(lane.kind, lane.vtime, served);
    }
    lanes.sort_unstable_by_key(|lane| (lane.turn, lane.kind != RunKind::Refine, lane.vtime, lane.id));
    for lane in &mut lanes {
        lane.vtime = lane.vtime.max(served);
    }
    Ok(lanes)
}

/// The virtual time that a lane is served at.
pub(super) fn turn(kind: RunKind, vtime: i64, served: i64) -> i64 {
    match kind {
        RunKind::Work => vtime.max(served),
        RunKind::Refine => (vtime - REFINE_HEAD_START).max(served),
    }
}

fn head(tx: &Tx<'_>, request: &ClaimRequest, lane: LaneId) -> TxResult<Option<Head>> {
    if request.only.is_empty() {
        return tx.one(sql::RUN_CLAIM, named_params! { ":lane": lane.0 }, Head::read);
    }
    let only = json_of(&request.only)?;
    tx.one(sql::RUN_CLAIM_ONLY, named_params! { ":lane": lane.0, ":only": only }, Head::read)
}

impl Head {
    fn read(row: &Row<'_>) -> TxResult<Self> {
        Ok(Self {
            rank_key: row.plain("rank_key")?,
            entry: row.entry_id("entry_id")?,
            run: row.plain("run_seq")?,
            payer: row.plain("payer")?,
        })
    }
}

/// Says that [`heads`] is going to be asked.
pub(super) fn foresee_heads(tx: &Tx<'_>, lane: LaneId, count: usize) -> TxResult<()> {
    tx.foresee(heads_query(count), named_params! { ":lane": lane.0 })
}

/// What a lane would give to so many claims; there may be more of it, which stays where it is.
pub(super) fn heads(tx: &Tx<'_>, lane: LaneId, count: usize) -> TxResult<Vec<Head>> {
    tx.all(heads_query(count), named_params! { ":lane": lane.0 }, Head::read)
}

fn heads_query(count: usize) -> Query {
    if count > 1 { sql::RUN_CLAIM_SOME } else { sql::RUN_CLAIM }
}

/// Whether a lane that offers nothing has something all the same, which another claim is about to take.
fn is_head_in_hand(tx: &Tx<'_>, request: &ClaimRequest, lane: LaneId) -> TxResult<bool> {
    let found = if request.only.is_empty() {
        tx.one(sql::READY_EXISTS, named_params! { ":lane": lane.0 }, |_| Ok(()))?
    } else {
        let only = json_of(&request.only)?;
        tx.one(sql::READY_EXISTS_ONLY, named_params! { ":lane": lane.0, ":only": only }, |_| Ok(()))?
    };
    Ok(found.is_some())
}

/// A begun run sets aside what its own pins say, a new one what the lane's present pins say.
fn room_for_head(tx: &Tx<'_>, lane: &WaitingLane, head: &Head) -> TxResult<Room> {
    let (pins, payer) = match head.run {
        Some(seq) => {
            // What was cancelled only ends; what cleans up sets money aside by itself.
            if cancel::asked(tx, seq)?.is_some() {
                return ledger::room_for(tx, &Amounts::new(), None);
            }
            let run = LiveRun::get(tx, seq)?;
            (run.pins, run.payer)
        }
        None => {
            newborn::foresee(tx, lane.kind, head.entry)?;
            newborn::foresee_rows(tx, 1)?;
            (lane.pins, head.payer)
        }
    };
    ledger::room_for(tx, &ledger::tranche(tx, pins)?, payer)
}

fn take(
    tx: &Tx<'_>,
    request: &ClaimRequest,
    lane: WaitingLane,
    head: Head,
    reservation: Reservation,
) -> TxResult<ClaimOutcome> {
    leave_place(tx, &lane, &head)?;
    tx.send(sql::STORE_SET_VTIME, named_params! { ":vtime": lane.turn })?;
    serve(tx, &lane, 1)?;
    match head.run {
        Some(seq) => reclaim(tx, request, seq, reservation),
        None => {
            let seq = newborn::rows(tx, 1)?.pop();
            let seq = seq.ok_or_else(|| Failure::damaged("it has no row for a new run"))?;
            let WaitingLane { id, pins, kind, pipeline, .. } = lane;
            let lane = ServedLane { id, pins, kind, pipeline };
            let newborn = Newborn { request, seq, entry: head.entry, rank_key: head.rank_key, lane };
            Ok(ClaimOutcome::Claimed(Box::new(newborn.bear(tx, reservation)?)))
        }
    }
}

/// What is claimed waits no more.
pub(super) fn leave_place(tx: &Tx<'_>, lane: &WaitingLane, head: &Head) -> TxResult<()> {
    let place = named_params! { ":lane": lane.id.0, ":rank_key": head.rank_key, ":entry": head.entry.0 };
    tx.send(sql::READY_DELETE, place)
}

/// Counts so many claims of a lane.
pub(super) fn serve(tx: &Tx<'_>, lane: &WaitingLane, times: usize) -> TxResult<()> {
    let params = named_params! { ":id": lane.id.0, ":vtime": lane.vtime, ":times": times };
    tx.send(sql::LANE_SERVE, params)
}

/// A run that was begun goes on.
fn reclaim(
    tx: &Tx<'_>,
    request: &ClaimRequest,
    seq: i64,
    reservation: Reservation,
) -> TxResult<ClaimOutcome> {
    let mut run = LiveRun::get(tx, seq)?;
    run.fence = run.fence.raised();
    run.host = request.host.clone();
    run.lease_until = Some(tx.now.after(request.lease));
    reservation.book_for(tx, &mut run)?;
    run.append(tx, claimed_event(&run.host, run.fence))?;
    inbox::apply(tx, &mut run)?;
    run.save(tx)?;
    claimed(tx, &run, true)
}

/// What the chain says of every claim.
pub(super) fn claimed_event(host: &HostId, fence: Fence) -> NewEvent {
    NewEvent { kind: EventKind::Claimed, body: json!({ "host": host, "fence": fence }) }
}

fn claimed(tx: &Tx<'_>, run: &LiveRun, begun: bool) -> TxResult<ClaimOutcome> {
    let (summary, order) = rows::run_at_claim(tx, run.id)?;
    Ok(ClaimOutcome::Claimed(Box::new(ClaimedRun {
        snapshot: report::snapshot(tx, run.revision)?,
        claim: Claim { run: run.id, fence: run.fence },
        run: summary,
        order,
        begun,
        escrow: run.escrow,
        children_cost: family::of_run(tx, run.seq)?
            .map(|family| family.settled + family.escrow)
            .unwrap_or_default(),
        claimed_at: tx.now,
    })))
}

/// Renews what a host still holds; a lease that has lapsed is not brought back, since its driver has stopped. With it comes whether
/// there is more, which other transactions have in hand.
pub(super) fn renew_leases(tx: &Tx<'_>, host: &HostId, lease: Duration) -> TxResult<(Vec<Claim>, bool)> {
    let params = named_params! {
        ":id": host.0,
        ":now": tx.now.as_millis(),
        ":version": env!("CARGO_PKG_VERSION"),
        ":schema": schema::KNOWN,
    };
    tx.send(sql::HOST_PUT, params)?;
    // Whoever is heard of did not vanish, however long ago its leases lapsed: the store was out of its reach.
    tx.send(sql::LOST_HOST_DELETE, named_params! { ":host": host.0 })?;
    let held = renew(tx, sql::RUN_RENEW_LEASES, host, lease)?;
    let (renewed, passed_over): (Vec<_>, Vec<_>) = held.into_iter().partition(|(_, renewed)| *renewed);
    Ok((renewed.into_iter().map(|(claim, _)| claim).collect(), !passed_over.is_empty()))
}

/// Renews what was passed over, when nobody has it in hand any more.
pub(super) fn renew_passed_over(tx: &Tx<'_>, host: &HostId, lease: Duration) -> TxResult<Vec<Claim>> {
    let held = renew(tx, sql::RUN_RENEW_PASSED_OVER, host, lease)?;
    Ok(held.into_iter().map(|(claim, _)| claim).collect())
}

fn renew(tx: &Tx<'_>, query: Query, host: &HostId, lease: Duration) -> TxResult<Vec<(Claim, bool)>> {
    let params = named_params! {
        ":host": host.0,
        ":now": tx.now.as_millis(),
        ":lease_until": tx.now.after(lease).as_millis(),
    };
    tx.all(query, params, |row| {
        let claim = Claim { run: row.parsed::<RunId>("id")?, fence: Fence(row.plain("fence")?) };
        Ok((claim, row.plain("renewed")?))
    })
}

/// Gives a claim back in good order.
pub(super) fn release(tx: &Tx<'_>, claim: Claim, reason: &str) -> TxResult<()> {
    let mut run = LiveRun::held_by(tx, claim)?;
    run.append(tx, NewEvent { kind: EventKind::Released, body: json!({ "reason": reason }) })?;
    run.let_go(tx)?;
    run.queue(tx)?;
    run.save(tx)
}

/// Takes back what hosts no longer hold.
pub(super) fn sweep(tx: &Tx<'_>) -> TxResult<Sweep> {
    let now = tx.now.as_millis();
    let lapsed = tx.all(sql::RUN_LIST_LAPSED, named_params! { ":now": now }, |row| row.plain("seq"))?;
    if !lapsed.is_empty() {
        tx.require_alone()?;
    }
    let mut runs = Vec::new();
    for seq in lapsed {
        runs.extend(lapse(tx, seq)?);
    }
    let deliveries = tx.all(sql::OUTBOX_LAPSE, named_params! { ":now": now }, |row| {
        Ok((DeliveryId(row.plain("id")?), HostId(row.plain("host")?)))
    })?;
    let (lapsed_runs, of_runs): (_, Vec<_>) = runs.into_iter().unzip();
    let (lapsed_deliveries, of_deliveries): (_, Vec<_>) = deliveries.into_iter().unzip();
    let lost_hosts = of_runs.into_iter().chain(of_deliveries).collect();
    Ok(Sweep { lapsed_runs, lapsed_deliveries, lost_hosts })
}

/// Takes a run back, unless its lease was renewed just before; with it comes the host that had it, which is lost until it is heard of.
fn lapse(tx: &Tx<'_>, seq: i64) -> TxResult<Option<(RunId, HostId)>> {
    let mut run = LiveRun::get(tx, seq)?;
    if run.lease_until.is_none_or(|until| until > tx.now) {
        return Ok(None);
    }
    run.crashes += 1;
    let body = json!({ "host": run.host, "fence": run.fence, "crashes": run.crashes });
    run.append(tx, NewEvent { kind: EventKind::LeaseLapsed, body })?;
    let lost = named_params! { ":run": run.seq, ":fence": run.fence.0, ":host": run.host.0 };
    tx.send(sql::LOST_HOST_INSERT, lost)?;
    run.fence = run.fence.raised();
    run.let_go(tx)?;
    run.queue(tx)?;
    run.save(tx)?;
    Ok(Some((run.id, run.host)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refining_goes_ahead_of_work_and_then_takes_turns_with_it() {
        let (mut served, mut refine, mut work) = (0, 0, 0);
        let mut claims = Vec::new();
        for _ in 0..REFINE_HEAD_START + 21 {
            let (of_refine, of_work) =
                (turn(RunKind::Refine, refine, served), turn(RunKind::Work, work, served));
            let lane = if of_refine <= of_work { &mut refine } else { &mut work };
            *lane = (*lane).max(served) + 1;
            served = of_refine.min(of_work);
            claims.push(of_refine <= of_work);
        }
        let (ahead, rest) = claims.split_at(claims.len() - 20);
        assert!(ahead.iter().all(|refines| *refines));
        assert_eq!(rest.iter().filter(|refines| **refines).count(), 10);
    }
}
