//! A run while a transaction changes it.

use serde_json::json;
use tollgate_core::{
    Digest, EntryId, HostId, LaneId, Microcents, RunId, Timestamp,
    digest::canonical_json,
    event::{ChainHead, EventKind, NewEvent},
    lease::Fence,
    rank::RankKey,
    run::{Claim, RunState},
};

use super::{
    journal,
    ledger::{self, Purse},
    sql,
    tx::{Failure, Row, Tx, TxResult, cents, millis, named_params},
};
use crate::StoreError;

/// The columns of a run that change, and those that decide how. Read with one of the constructors, written with
/// [`LiveRun::save`], in one transaction.
pub(super) struct LiveRun {
    pub(super) seq: i64,
    pub(super) id: RunId,
    pub(super) entry: EntryId,
    pub(super) lane: LaneId,
    pub(super) backlog: String,
    pub(super) revision: Digest,
    pub(super) pins: Digest,
    pub(super) rank_key: RankKey,
    pub(super) state: RunState,
    pub(super) reason: Option<String>,
    pub(super) fence: Fence,
    pub(super) host: HostId,
    pub(super) lease_until: Option<Timestamp>,
    pub(super) crashes: u32,
    pub(super) ended_at: Option<Timestamp>,
    pub(super) cost: Microcents,
    pub(super) escrow: Microcents,
    pub(super) chain: ChainHead,
    /// The run that opened its entry, with whose cost it counts.
    pub(super) payer: Option<i64>,
    /// What is set aside for it by cap, where that was read.
    pub(super) purse: Option<Purse>,
    /// The fence that was read: what [`LiveRun::save`] insists on.
    held: Fence,
}

impl LiveRun {
    /// The run that a claim gives the right to drive.
    ///
    /// # Errors
    ///
    /// [`StoreError::StaleFence`] when it no longer does.
    pub(super) fn held_by(tx: &Tx<'_>, claim: Claim) -> TxResult<Self> {
        let run = Self::to_change(tx, claim.run)?;
        if run.fence != claim.fence || run.lease_until.is_none() {
            return Err(StoreError::StaleFence { run: claim.run, fence: claim.fence }.into());
        }
        Ok(run)
    }

    /// The run with this id, which stays as it is until the transaction changes it.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`].
    pub(super) fn to_change(tx: &Tx<'_>, id: RunId) -> TxResult<Self> {
        let run = tx.one(sql::RUN_GET_TO_CHANGE, named_params! { ":id": id.to_string() }, Self::read)?;
        run.ok_or_else(|| StoreError::NotFound { what: "run", name: id.to_string() }.into())
    }

    /// Says that [`LiveRun::held_by`] or [`LiveRun::to_change`] is going to be asked.
    pub(super) fn foresee_change(tx: &Tx<'_>, id: RunId) -> TxResult<()> {
        tx.foresee(sql::RUN_GET_TO_CHANGE, named_params! { ":id": id.to_string() })
    }

    /// Says that [`LiveRun::find`] is going to be asked.
    pub(super) fn foresee_find(tx: &Tx<'_>, id: RunId) -> TxResult<()> {
        tx.foresee(sql::RUN_GET, named_params! { ":id": id.to_string() })
    }

    /// The run with this id, whoever holds it.
    pub(super) fn find(tx: &Tx<'_>, id: RunId) -> TxResult<Option<Self>> {
        tx.one(sql::RUN_GET, named_params! { ":id": id.to_string() }, Self::read)
    }

    /// The run in this row, which stays as it is until the transaction changes it.
    pub(super) fn get(tx: &Tx<'_>, seq: i64) -> TxResult<Self> {
        let run = tx.one(sql::RUN_GET_BY_SEQ, named_params! { ":seq": seq }, Self::read)?;
        run.ok_or_else(|| Failure::damaged(format!("there is no run in row {seq}")))
    }

    fn read(row: &Row<'_>) -> TxResult<Self> {
        let fence = Fence(row.plain("fence")?);
        Ok(Self {
            seq: row.plain("seq")?,
            id: row.parsed("id")?,
            entry: row.entry_id("entry_id")?,
            lane: LaneId(row.plain("lane_id")?),
            backlog: row.plain("backlog")?,
            revision: row.digest("revision")?,
            pins: row.digest("pins")?,
            rank_key: RankKey::from_bytes(row.plain("rank_key")?),
            state: row.word("state")?,
            reason: row.plain("reason")?,
            fence,
            host: HostId(row.plain("host")?),
            lease_until: row.time_or_none("lease_until")?,
            crashes: row.small_count("crashes")?,
            ended_at: row.time_or_none("ended_at")?,
            cost: row.money("cost")?,
            escrow: row.money("escrow")?,
            chain: ChainHead { events: row.count("chain_events")?, hash: row.digest("chain_hash")? },
            payer: row.plain("payer")?,
            purse: None,
            held: fence,
        })
    }

    /// Writes back what changed.
    pub(super) fn save(&mut self, tx: &Tx<'_>) -> TxResult<()> {
        let params = named_params! {
            ":seq": self.seq,
            ":held": self.held.0,
            ":state": self.state.as_str(),
            ":reason": self.reason,
            ":fence": self.fence.0,
            ":host": self.host.0,
            ":lease_until": millis(self.lease_until),
            ":crashes": self.crashes,
            ":ended_at": millis(self.ended_at),
            ":cost": cents(self.cost),
            ":escrow": cents(self.escrow),
            ":chain_events": self.chain.events,
            ":chain_hash": self.chain.hash.as_bytes(),
        };
        if !tx.change_one(sql::RUN_UPDATE_IF_FENCE, params)? {
            return Err(StoreError::StaleFence { run: self.id, fence: self.held }.into());
        }
        self.held = self.fence;
        Ok(())
    }

    /// Extends the chain.
    pub(super) fn append(&mut self, tx: &Tx<'_>, event: NewEvent) -> TxResult<()> {
        self.append_written(tx, &WrittenEvent::of(&event))
    }

    /// The same with an event that was written down before.
    pub(super) fn append_written(&mut self, tx: &Tx<'_>, event: &WrittenEvent) -> TxResult<()> {
        self.chain = self.chain.link(tx.now, event.kind, &event.body);
        event.insert(tx, self.seq, self.chain)
    }

    /// Ends the claim: what was asked and not answered is charged, and what is set aside goes back.
    pub(super) fn let_go(&mut self, tx: &Tx<'_>) -> TxResult<()> {
        journal::lose_open(tx, self)?;
        self.rest(tx)
    }

    /// The same of a run that awaits no answer.
    pub(super) fn rest(&mut self, tx: &Tx<'_>) -> TxResult<()> {
        self.lease_until = None;
        ledger::give_back(tx, self)
    }

    /// Puts the run back into its lane, ahead of entries that have not begun.
    pub(super) fn queue(&mut self, tx: &Tx<'_>) -> TxResult<()> {
        self.state = RunState::Running;
        self.reason = None;
        let rank_key = self.rank_key.clone().begun();
        let params = named_params! {
            ":lane": self.lane.0,
            ":rank_key": rank_key.as_bytes(),
            ":entry": self.entry.0,
            ":run": self.seq,
        };
        tx.send(sql::READY_INSERT, params)
    }

    /// Takes it out of its lane again.
    pub(super) fn unqueue(&self, tx: &Tx<'_>) -> TxResult<()> {
        let rank_key = self.rank_key.clone().begun();
        let params = named_params! {
            ":lane": self.lane.0, ":rank_key": rank_key.as_bytes(), ":entry": self.entry.0,
        };
        tx.send(sql::READY_DELETE, params)
    }

    /// Ends the wait of a run, whatever it waited for.
    pub(super) fn wake(tx: &Tx<'_>, seq: i64, by: &str) -> TxResult<()> {
        Self::wake_with(tx, seq, NewEvent { kind: EventKind::Woken, body: json!({ "by": by }) })
    }

    /// The same with what the chain says of it.
    pub(super) fn wake_with(tx: &Tx<'_>, seq: i64, woken: NewEvent) -> TxResult<()> {
        tx.send(sql::WAKE_DELETE, named_params! { ":run": seq })?;
        tx.send(sql::WAKE_DELIVERY_DELETE, named_params! { ":run": seq })?;
        tx.send(sql::WAKE_SIGNAL_DELETE, named_params! { ":run": seq })?;
        tx.send(sql::WAKE_CHILDREN_DELETE, named_params! { ":run": seq })?;
        tx.send(sql::ASK_DELETE, named_params! { ":run": seq })?;
        let mut run = Self::get(tx, seq)?;
        tx.send(sql::UNFUNDED_DELETE, named_params! { ":entry": run.entry.0 })?;
        run.append(tx, woken)?;
        run.queue(tx)?;
        run.save(tx)
    }
}

/// An event as it is hashed and kept: one text serves both.
pub(super) struct WrittenEvent {
    pub(super) kind: EventKind,
    pub(super) body: String,
}

impl WrittenEvent {
    pub(super) fn of(event: &NewEvent) -> Self {
        Self { kind: event.kind, body: canonical_json(&event.body) }
    }

    /// Writes it as the last event of the run in this row; `head` is the chain with it.
    pub(super) fn insert(&self, tx: &Tx<'_>, run_seq: i64, head: ChainHead) -> TxResult<()> {
        let params = named_params! {
            ":run": run_seq,
            ":seq": head.events,
            ":at": tx.now.as_millis(),
            ":kind": self.kind.as_str(),
            ":body": self.body,
            ":hash": head.hash.as_bytes(),
        };
        tx.send(sql::EVENT_INSERT, params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run in row 1, without the rows that it is about.
    fn insert(tx: &Tx<'_>, id: RunId) {
        let nothing = Digest::of("");
        let params = named_params! {
            ":seq": 1_i64,
            ":id": id.to_string(),
            ":entry": 1_i64,
            ":lane": 1_i64,
            ":backlog": "specs",
            ":pipeline": "draft",
            ":kind": "work",
            ":round": 1_i64,
            ":title": "A",
            ":revision": nothing.as_bytes(),
            ":pins": nothing.as_bytes(),
            ":rank_key": [0_u8; 4].as_slice(),
            ":order_facts": "{}",
            ":fence": 1_i64,
            ":host": "here",
            ":lease_until": 1_i64,
            ":now": 0_i64,
            ":escrow": 0_i64,
            ":chain_events": 0_i64,
            ":chain_hash": nothing.as_bytes(),
            ":payer": None::<i64>,
        };
        tx.run(sql::RUN_INSERT, params).expect("a run");
    }

    #[test]
    fn what_was_read_before_another_claim_is_not_written_over_it() {
        let connection = crate::sqlite::tests::in_memory_without_references();
        let (tx, id) = (Tx::new(&connection, Timestamp::default()), RunId::generate());
        insert(&tx, id);
        let get = || LiveRun::get(&tx, 1).expect("the run");
        let (mut before, mut after) = (get(), get());
        after.fence = after.fence.raised();
        after.host = HostId("there".into());
        assert!(after.save(&tx).is_ok());
        let refused = before.save(&tx);
        assert!(matches!(refused, Err(Failure::Refused(StoreError::StaleFence { .. }))));
        assert_eq!(get().host.0, "there");
        assert!(after.save(&tx).is_ok(), "who raised it goes on");
    }
}
