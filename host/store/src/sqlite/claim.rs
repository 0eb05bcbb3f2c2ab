//! Claims and leases: who drives what, until when, and what becomes of it when nobody does any more.

use std::time::Duration;

use rusqlite::named_params;
use serde_json::json;
use tollgate_core::{
    Digest, EntryId, HostId, LaneId, RunId,
    event::{ChainHead, EventKind, NewEvent},
    id::DeliveryId,
    lease::Fence,
    record::OrderFacts,
    run::Claim,
};

use super::{
    control, inbox,
    ledger::{self, Reservation, Room},
    live_run::LiveRun,
    rows, sql,
    tx::{Columns, Failure, Tx, TxResult, json_of},
};
use crate::{
    StoreError,
    port::{ClaimOutcome, ClaimRequest, ClaimedRun, StopMode, Sweep},
};

/// What a lane would give next.
struct Head {
    lane: LaneId,
    rank_key: Vec<u8>,
    entry: EntryId,
    run: Option<i64>,
    vtime: i64,
}

/// Claims the first thing that can be paid for, trying the heads of the lanes in the order in which these are due.
///
/// A claim whose answer was lost is given again to the host that repeats its request, as long as it holds.
pub(super) fn claim(tx: &Tx<'_>, request: &ClaimRequest) -> TxResult<ClaimOutcome> {
    if let Some(run) = LiveRun::find(tx, request.new_run)? {
        return claimed_before(tx, request, &run);
    }
    let stop = control::get(tx)?.stop.map(|stop| stop.mode);
    if stop == Some(StopMode::Now) {
        return Ok(ClaimOutcome::Stopped);
    }
    let only_begun = request.only_begun || stop.is_some();
    let mut reached = None;
    for head in heads(tx, request)? {
        // Begun runs come first in their lane, so behind an entry there are none.
        if only_begun && head.run.is_none() {
            continue;
        }
        match room_for_head(tx, &head)? {
            Room::Free(reservation) => return take(tx, request, head, reservation),
            Room::CapReached { cap, until } => {
                reached.get_or_insert(ClaimOutcome::CapReached { cap, until });
            }
        }
    }
    let nothing = if stop.is_some() { ClaimOutcome::Stopped } else { ClaimOutcome::Nothing };
    Ok(reached.unwrap_or(nothing))
}

fn claimed_before(tx: &Tx<'_>, request: &ClaimRequest, run: &LiveRun) -> TxResult<ClaimOutcome> {
    if run.host != request.host || run.lease_until.is_none() {
        return Err(StoreError::Conflict(format!("there is a run {} already; use a new id", run.id)).into());
    }
    claimed(tx, run, false)
}

fn heads(tx: &Tx<'_>, request: &ClaimRequest) -> TxResult<Vec<Head>> {
    let vtime = tx.one(sql::STORE_GET, [], |row| row.plain::<i64>("vtime"))?.unwrap_or_default();
    let lanes = json_of(&request.lanes)?;
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Head {
            lane: LaneId(row.plain("lane_id")?),
            rank_key: row.plain("rank_key")?,
            entry: row.entry_id("entry_id")?,
            run: row.plain("run_seq")?,
            vtime: row.plain("vtime")?,
        })
    };
    if request.only.is_empty() {
        tx.all(sql::RUN_CLAIM, named_params! { ":lanes": lanes, ":vtime": vtime }, read)
    } else {
        let only = json_of(&request.only)?;
        tx.all(sql::RUN_CLAIM_ONLY, named_params! { ":lanes": lanes, ":vtime": vtime, ":only": only }, read)
    }
}

/// A begun run sets aside what its own pins say, a new one what the lane's present pins say.
fn room_for_head(tx: &Tx<'_>, head: &Head) -> TxResult<Room> {
    let pins = match head.run {
        Some(seq) => LiveRun::get(tx, seq)?.pins,
        None => tx
            .one(sql::LANE_GET_PINS, named_params! { ":id": head.lane.0 }, |row| row.digest("pins"))?
            .ok_or_else(|| Failure::damaged(format!("there is no lane {}", head.lane)))?,
    };
    ledger::room_for(tx, &ledger::tranche(tx, pins)?)
}

fn take(tx: &Tx<'_>, request: &ClaimRequest, head: Head, reservation: Reservation) -> TxResult<ClaimOutcome> {
    let place = named_params! { ":lane": head.lane.0, ":rank_key": head.rank_key, ":entry": head.entry.0 };
    tx.run(sql::READY_DELETE, place)?;
    tx.run(sql::STORE_SET_VTIME, named_params! { ":vtime": head.vtime })?;
    let lane = serve_lane(tx, &head)?;
    let begun = head.run.is_some();
    let mut run = match head.run {
        Some(seq) => reclaim(tx, request, seq)?,
        None => bear(tx, request, &head, lane)?,
    };
    reservation.book(tx, &mut run)?;
    let body = json!({ "host": run.host, "fence": run.fence });
    run.append(tx, NewEvent { kind: EventKind::Claimed, body })?;
    inbox::apply(tx, &mut run)?;
    run.save(tx)?;
    claimed(tx, &run, begun)
}

/// What a new run takes over from its lane.
struct LaneFacts {
    pins: Digest,
    kind: String,
    pipeline: String,
}

fn serve_lane(tx: &Tx<'_>, head: &Head) -> TxResult<LaneFacts> {
    let params = named_params! { ":id": head.lane.0, ":vtime": head.vtime };
    let lane = tx.one(sql::LANE_SERVE, params, |row| {
        Ok(LaneFacts {
            pins: row.digest("pins")?,
            kind: row.plain("kind")?,
            pipeline: row.plain("pipeline")?,
        })
    })?;
    lane.ok_or_else(|| Failure::damaged(format!("there is no lane {}", head.lane)))
}

/// A run that was begun goes on.
fn reclaim(tx: &Tx<'_>, request: &ClaimRequest, seq: i64) -> TxResult<LiveRun> {
    let mut run = LiveRun::get(tx, seq)?;
    run.fence = run.fence.raised();
    run.host = request.host.clone();
    run.lease_until = Some(tx.now.after(request.lease));
    Ok(run)
}

/// A run is born: pinned to what its lane says now, on what the entry says now.
fn bear(tx: &Tx<'_>, request: &ClaimRequest, head: &Head, lane: LaneFacts) -> TxResult<LiveRun> {
    let entry = named_params! { ":id": head.entry.0 };
    let facts = tx.one(sql::ENTRY_SET_BUSY, entry, |row| {
        Ok((
            row.small_count("rounds")?,
            row.digest("revision")?,
            row.plain::<String>("title")?,
            row.plain::<String>("backlog")?,
        ))
    })?;
    let (round, revision, title, backlog) =
        facts.ok_or_else(|| Failure::damaged(format!("entry {} waits, and is not ready", head.entry)))?;
    let order = order_facts(tx, head.entry, &backlog)?;
    tx.run(sql::PLACE_SET_DUE, named_params! { ":entry": head.entry.0, ":due_at": None::<i64> })?;
    let id = request.new_run;
    let chain = ChainHead::start(id);
    let params = named_params! {
        ":id": id.to_string(),
        ":entry": head.entry.0,
        ":lane": head.lane.0,
        ":backlog": backlog,
        ":pipeline": lane.pipeline,
        ":kind": lane.kind,
        ":round": round,
        ":title": title,
        ":revision": revision.as_bytes(),
        ":pins": lane.pins.as_bytes(),
        ":rank_key": head.rank_key,
        ":order_facts": json_of(&order)?,
        ":host": request.host.0,
        ":lease_until": tx.now.after(request.lease).as_millis(),
        ":now": tx.now.as_millis(),
        ":chain_hash": chain.hash.as_bytes(),
    };
    tx.run(sql::RUN_INSERT, params)?;
    LiveRun::get(tx, tx.inserted())
}

fn order_facts(tx: &Tx<'_>, entry: EntryId, backlog: &str) -> TxResult<OrderFacts> {
    let facts = tx.one(sql::PLACE_GET, named_params! { ":entry": entry.0 }, |row| {
        Ok(OrderFacts {
            backlog: backlog.to_owned(),
            score_thousandths: row.plain("score_thousandths")?,
            terms: row.json("terms")?,
        })
    })?;
    facts.ok_or_else(|| Failure::damaged(format!("entry {entry} waits, and has no place")))
}

fn claimed(tx: &Tx<'_>, run: &LiveRun, begun: bool) -> TxResult<ClaimOutcome> {
    Ok(ClaimOutcome::Claimed(Box::new(ClaimedRun {
        claim: Claim { run: run.id, fence: run.fence },
        run: rows::run_summary(tx, run.id)?,
        begun,
        escrow: run.escrow,
        claimed_at: tx.now,
    })))
}

/// Renews what a host still holds; a lease that has lapsed is not brought back, since its driver has stopped.
pub(super) fn renew_leases(tx: &Tx<'_>, host: &HostId, lease: Duration) -> TxResult<Vec<Claim>> {
    tx.run(sql::HOST_PUT, named_params! { ":id": host.0, ":now": tx.now.as_millis() })?;
    let params = named_params! {
        ":host": host.0,
        ":now": tx.now.as_millis(),
        ":lease_until": tx.now.after(lease).as_millis(),
    };
    tx.all(sql::RUN_RENEW_LEASES, params, |row| {
        Ok(Claim { run: row.parsed::<RunId>("id")?, fence: Fence(row.plain("fence")?) })
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
    let lapsed_runs = lapsed.into_iter().map(|seq| lapse(tx, seq)).collect::<TxResult<_>>()?;
    let lapsed_deliveries =
        tx.all(sql::OUTBOX_LAPSE, named_params! { ":now": now }, |row| Ok(DeliveryId(row.plain("id")?)))?;
    Ok(Sweep { lapsed_runs, lapsed_deliveries })
}

fn lapse(tx: &Tx<'_>, seq: i64) -> TxResult<RunId> {
    let mut run = LiveRun::get(tx, seq)?;
    run.crashes += 1;
    let body = json!({ "host": run.host, "fence": run.fence, "crashes": run.crashes });
    run.append(tx, NewEvent { kind: EventKind::LeaseLapsed, body })?;
    run.fence = run.fence.raised();
    run.let_go(tx)?;
    run.queue(tx)?;
    run.save(tx)?;
    Ok(run.id)
}
