//! A run is born in the transaction that claims its entry.
//!
//! Everything is known before the first row is written, so each row is written once, and nothing that was written is read again:
//! the claim is the one transaction that every entry pays for while others wait.

use tollgate_core::{
    Digest, EntryId, LaneId, Microcents,
    entry::{EntryName, EntrySnapshot, EntryState},
    event::ChainHead,
    lease::Fence,
    record::OrderFacts,
    run::{Claim, RunKind, RunState, RunSummary},
};

use super::{
    claim::claimed_event,
    ledger::Reservation,
    live_run::WrittenEvent,
    sql,
    tx::{Failure, Tx, TxResult, cents, json_of, millis, named_params},
};
use crate::port::{ClaimRequest, ClaimedRun};

/// What a new run takes over from its lane.
pub(super) struct ServedLane {
    pub(super) id: LaneId,
    pub(super) pins: Digest,
    pub(super) kind: RunKind,
    pub(super) pipeline: String,
}

/// What a run is born from.
pub(super) struct Newborn<'r> {
    pub(super) request: &'r ClaimRequest,
    /// Its row.
    pub(super) seq: i64,
    pub(super) entry: EntryId,
    pub(super) rank_key: Vec<u8>,
    pub(super) lane: ServedLane,
}

/// What the run works on: the entry as it is now.
struct Subject {
    name: EntryName,
    title: String,
    backlog: String,
    revision: Digest,
    round: u32,
}

/// Says that a run is going to be born from this entry.
pub(super) fn foresee(tx: &Tx<'_>, kind: RunKind, entry: EntryId) -> TxResult<()> {
    let params = named_params! { ":id": entry.0, ":state": waits_as(kind).as_str() };
    tx.foresee(sql::ENTRY_GET_CLAIMABLE, params)?;
    tx.foresee(sql::PLACE_GET, named_params! { ":entry": entry.0 })
}

/// Says that rows for so many runs are going to be wanted.
pub(super) fn foresee_rows(tx: &Tx<'_>, count: usize) -> TxResult<()> {
    tx.foresee(sql::RUN_NEXT_SEQS, named_params! { ":count": count })
}

/// Rows for so many runs.
pub(super) fn rows(tx: &Tx<'_>, count: usize) -> TxResult<Vec<i64>> {
    tx.all(sql::RUN_NEXT_SEQS, named_params! { ":count": count }, |row| row.plain("seq"))
}

/// The state of an entry that waits for a run of this kind: what waits to be refined is held for that.
fn waits_as(kind: RunKind) -> EntryState {
    match kind {
        RunKind::Work => EntryState::Ready,
        RunKind::Refine => EntryState::Held,
    }
}

impl Newborn<'_> {
    /// Pins the run to what its lane says now, on what the entry says now, and sets its first tranche aside.
    pub(super) fn bear(self, tx: &Tx<'_>, reservation: Reservation) -> TxResult<ClaimedRun> {
        let (subject, snapshot) = self.make_busy(tx)?;
        let order = self.take_out_of_order(tx, &subject.backlog)?;
        let (seq, fence) = (self.seq, Fence(1));
        let claimed = WrittenEvent::of(&claimed_event(&self.request.host, fence));
        let chain = ChainHead::start(self.request.new_run).link(tx.now, claimed.kind, &claimed.body);
        let (escrow, payer) = (reservation.total(), reservation.payer());
        let params = named_params! {
            ":seq": seq,
            ":id": self.request.new_run.to_string(),
            ":entry": self.entry.0,
            ":lane": self.lane.id.0,
            ":backlog": subject.backlog,
            ":pipeline": self.lane.pipeline,
            ":kind": self.lane.kind.as_str(),
            ":round": subject.round,
            ":title": subject.title,
            ":revision": subject.revision.as_bytes(),
            ":pins": self.lane.pins.as_bytes(),
            ":rank_key": self.rank_key,
            ":order_facts": json_of(&order)?,
            ":fence": fence.0,
            ":host": self.request.host.0,
            ":lease_until": tx.now.after(self.request.lease).as_millis(),
            ":now": tx.now.as_millis(),
            ":escrow": cents(escrow),
            ":chain_events": chain.events,
            ":chain_hash": chain.hash.as_bytes(),
            ":payer": payer,
        };
        tx.send(sql::RUN_INSERT, params)?;
        claimed.insert(tx, seq, chain)?;
        reservation.book(tx, seq)?;
        Ok(ClaimedRun {
            snapshot,
            claim: Claim { run: self.request.new_run, fence },
            run: self.summary(tx, subject, fence),
            order,
            begun: false,
            escrow,
            children_cost: Microcents::ZERO,
            claimed_at: tx.now,
        })
    }

    /// What the run works on, and what that says.
    fn make_busy(&self, tx: &Tx<'_>) -> TxResult<(Subject, EntrySnapshot)> {
        let by_id = named_params! { ":id": self.entry.0 };
        let set_busy = match self.lane.kind {
            RunKind::Work => sql::ENTRY_SET_BUSY,
            RunKind::Refine => sql::ENTRY_SET_REFINING,
        };
        let state = waits_as(self.lane.kind);
        let params = named_params! { ":id": self.entry.0, ":state": state.as_str() };
        let claimable = tx.one(sql::ENTRY_GET_CLAIMABLE, params, |row| {
            let subject = Subject {
                name: EntryName { tracker: row.plain("tracker")?, key: row.plain("key")? },
                title: row.plain("title")?,
                backlog: row.plain("backlog")?,
                revision: row.digest("revision")?,
                round: row.small_count("rounds")? + 1,
            };
            Ok((subject, row.json("snapshot")?))
        })?;
        let (mut subject, snapshot) = claimable
            .ok_or_else(|| Failure::damaged(format!("entry {} waits, and is not {state}", self.entry)))?;
        if self.lane.kind == RunKind::Refine {
            subject.round = self.refine_round(tx)?;
        }
        tx.send(set_busy, by_id)?;
        Ok((subject, snapshot))
    }

    /// Refine runs are counted by themselves.
    fn refine_round(&self, tx: &Tx<'_>) -> TxResult<u32> {
        let params = named_params! { ":entry": self.entry.0 };
        let before = tx.one(sql::RUN_COUNT_REFINING, params, |row| row.small_count("runs"))?;
        Ok(before.unwrap_or_default() + 1)
    }

    /// What put the entry where it stood; it stands there no longer, so its score need not change any more.
    fn take_out_of_order(&self, tx: &Tx<'_>, backlog: &str) -> TxResult<OrderFacts> {
        let place = tx.one(sql::PLACE_GET, named_params! { ":entry": self.entry.0 }, |row| {
            let order = OrderFacts {
                backlog: backlog.to_owned(),
                score_thousandths: row.plain("score_thousandths")?,
                terms: row.json("terms")?,
            };
            Ok((order, row.time_or_none("due_at")?))
        })?;
        let (order, due_at) =
            place.ok_or_else(|| Failure::damaged(format!("entry {} waits, and has no place", self.entry)))?;
        if due_at.is_some() {
            let params = named_params! { ":entry": self.entry.0, ":due_at": millis(None) };
            tx.send(sql::PLACE_SET_DUE, params)?;
        }
        Ok(order)
    }

    fn summary(self, tx: &Tx<'_>, subject: Subject, fence: Fence) -> RunSummary {
        RunSummary {
            id: self.request.new_run,
            entry_id: self.entry,
            entry: subject.name,
            title: subject.title,
            lane: self.lane.id,
            pipeline: self.lane.pipeline,
            kind: self.lane.kind,
            round: subject.round,
            state: RunState::Running,
            reason: None,
            ask: None,
            host: self.request.host.clone(),
            driven: true,
            lost_hosts: Vec::new(),
            fence,
            crashes: 0,
            started_at: tx.now,
            ended_at: None,
            cost: Microcents::ZERO,
            pins: self.lane.pins,
            revision: subject.revision,
            rebuilt: false,
        }
    }
}
