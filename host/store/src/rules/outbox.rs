//! What leaves the host: in order per entry, each with a lease and fence of its own.

use std::{collections::BTreeSet, time::Duration};

use serde_json::json;
use tollgate_core::{
    Digest, EntryId, HostId, RunId, Timestamp,
    course::EffectRef,
    effect::Delivered,
    entry::EntryName,
    event::{EventKind, NewEvent},
    id::DeliveryId,
    lease::Fence,
};

use super::{
    children,
    live_run::LiveRun,
    sql,
    tx::{Failure, Row, Tx, TxResult, from_json, json_of, named_params},
};
use crate::port::{Delivery, DeliveryKind, DeliveryOutcome, DeliveryTicket};

/// What says that a delivery is still that of whoever took it.
macro_rules! sent_params {
    ($delivery:expr) => {
        named_params! { ":id": $delivery.id.0, ":fence": $delivery.fence.0 }
    };
}

/// A delivery as it is kept.
pub(super) struct TakenDelivery {
    ticket: DeliveryTicket,
    run: Option<RunId>,
    entry: EntryName,
    url: Option<String>,
    kind: String,
    reference: Option<String>,
    body: String,
    ambiguous: bool,
    failures: u32,
    previous: Option<Digest>,
}

impl TakenDelivery {
    /// Reads its texts, which nobody has to wait for.
    pub(super) fn read(self) -> TxResult<Delivery> {
        let kind = match (self.kind.as_str(), self.reference) {
            ("effect", Some(reference)) => {
                DeliveryKind::Effect { reference: from_json(&reference)?, effect: from_json(&self.body)? }
            }
            ("record", _) => DeliveryKind::Record(from_json(&self.body)?),
            ("adopted", _) => DeliveryKind::Adopted(from_json(&self.body)?),
            ("leave", _) => DeliveryKind::Leave(from_json(&self.body)?),
            (other, _) => return Err(Failure::damaged(format!("`{other}` is no kind of delivery"))),
        };
        Ok(Delivery {
            id: self.ticket.id,
            fence: self.ticket.fence,
            run: self.run,
            entry: self.entry,
            url: self.url,
            kind,
            ambiguous: self.ambiguous,
            failures: self.failures,
            previous: self.previous,
        })
    }
}

/// Says that numbers for so many deliveries are going to be wanted.
pub(super) fn foresee_numbers(tx: &Tx<'_>, count: usize) -> TxResult<()> {
    if count == 0 { Ok(()) } else { tx.foresee(sql::OUTBOX_NEXT_IDS, named_params! { ":count": count }) }
}

/// Numbers for so many deliveries.
pub(super) fn numbers(tx: &Tx<'_>, count: usize) -> TxResult<Vec<i64>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    tx.all(sql::OUTBOX_NEXT_IDS, named_params! { ":count": count }, |row| row.plain("id"))
}

/// Takes the oldest deliveries, no two of one entry.
pub(super) fn take(tx: &Tx<'_>, host: &HostId, lease: Duration, max: u32) -> TxResult<Vec<TakenDelivery>> {
    let params = named_params! { ":now": tx.now.as_millis(), ":max": max };
    let ids = tx.all(sql::OUTBOX_LIST_TAKABLE, params, |row| row.plain::<i64>("id"))?;
    let lease_until = tx.now.after(lease).as_millis();
    for id in &ids {
        let params = named_params! { ":id": id, ":host": host.0, ":lease_until": lease_until };
        tx.send(sql::OUTBOX_SET_SENDING, params)?;
    }
    ids.iter().try_for_each(|id| tx.foresee(sql::OUTBOX_GET, named_params! { ":id": id }))?;
    ids.into_iter().map(|id| get(tx, id)).collect()
}

/// Says what became of deliveries; those whose fence is stale are left alone and returned.
pub(super) fn settle(
    tx: &Tx<'_>,
    outcomes: &[(DeliveryTicket, DeliveryOutcome)],
) -> TxResult<Vec<DeliveryId>> {
    if !tx.is_alone() {
        // Before the deliveries themselves: who writes what a run did has the run first, too.
        let ids: Vec<_> = outcomes.iter().map(|(delivery, _)| delivery.id.0).collect();
        tx.send(sql::OUTBOX_LOCK_RUNS, named_params! { ":deliveries": json_of(&ids)? })?;
    }
    let settled = outcomes.iter().filter(|(_, outcome)| matches!(outcome, DeliveryOutcome::Settled(_)));
    for delivery in settled.map(|(delivery, _)| delivery).collect::<BTreeSet<_>>() {
        tx.foresee(sql::OUTBOX_GET_SENT, sent_params!(delivery))?;
    }
    let mut stale = Vec::new();
    for (delivery, outcome) in outcomes {
        let accepted = match outcome {
            DeliveryOutcome::Settled(became) => settle_one(tx, *delivery, became)?,
            DeliveryOutcome::Retry { at, reason, ambiguous } => {
                retry_one(tx, *delivery, *at, reason, *ambiguous)?
            }
            DeliveryOutcome::NotBegun => give_back_one(tx, *delivery)?,
        };
        if !accepted {
            stale.push(delivery.id);
        }
    }
    Ok(stale)
}

fn get(tx: &Tx<'_>, id: i64) -> TxResult<TakenDelivery> {
    let read = |row: &Row<'_>| {
        let taken = TakenDelivery {
            ticket: DeliveryTicket { id: DeliveryId(id), fence: Fence(row.plain("fence")?) },
            run: row
                .plain::<Option<String>>("run")?
                .map(|run| run.parse().map_err(Failure::damaged))
                .transpose()?,
            entry: EntryName { tracker: row.plain("tracker")?, key: row.plain("key")? },
            url: row.plain("url")?,
            kind: row.plain("kind")?,
            reference: row.plain("reference")?,
            body: row.plain("body")?,
            ambiguous: row.plain("ambiguous")?,
            failures: row.small_count("failures")?,
            previous: None,
        };
        Ok((taken, row.plain::<i64>("entry_id")?, row.plain::<Option<String>>("path")?))
    };
    let found = tx.one(sql::OUTBOX_GET, named_params! { ":id": id }, read)?;
    let (taken, entry, path) = found.ok_or_else(|| Failure::damaged(format!("there is no delivery {id}")))?;
    let previous = match path {
        Some(path) => previous_artifact(tx, entry, &path, id)?,
        None => None,
    };
    Ok(TakenDelivery { previous, ..taken })
}

fn previous_artifact(tx: &Tx<'_>, entry: i64, path: &str, id: i64) -> TxResult<Option<Digest>> {
    let params = named_params! { ":entry": entry, ":path": path, ":id": id };
    let previous = tx.one(sql::OUTBOX_GET_PREVIOUS_ARTIFACT, params, |row| row.digest_or_none("artifact"))?;
    Ok(previous.flatten())
}

/// Whether it was still this deliverer's.
fn settle_one(tx: &Tx<'_>, delivery: DeliveryTicket, became: &Delivered) -> TxResult<bool> {
    let effect = tx.one(sql::OUTBOX_GET_SENT, sent_params!(delivery), |row| {
        let of =
            (row.plain::<Option<i64>>("run_seq")?, row.entry_id("entry_id")?, row.plain::<String>("kind")?);
        Ok((of, row.json_or_none::<EffectRef>("reference")?))
    })?;
    let Some(((run_seq, entry, kind), effect)) = effect else { return Ok(false) };
    let (became_json, now) = (json_of(became)?, tx.now.as_millis());
    let params = named_params! { ":id": delivery.id.0, ":became": became_json, ":now": now };
    tx.send(sql::OUTBOX_SETTLE, params)?;
    if kind == "leave" {
        follow_item(tx, entry, became)?;
    }
    // Nobody waits for a record, nor for what comes after it.
    let Some((effect, run_seq)) = effect.zip(run_seq) else { return Ok(true) };
    let mut run = LiveRun::get(tx, run_seq)?;
    // The record of a run that is over carries the head of its chain, so the chain ends there: what became of an effect that
    // nobody waited for stands in the outbox alone.
    if run.state.is_live() {
        let body = json!({ "effect": effect, "became": became });
        run.append(tx, NewEvent { kind: EventKind::Delivered, body })?;
        run.save(tx)?;
    }
    wake_those_that_wait(tx, delivery.id)?;
    children::settled(tx, run_seq)?;
    Ok(true)
}

/// Notes where a run left the item of an entry, so that a person who moves it from there is noticed.
fn follow_item(tx: &Tx<'_>, entry: EntryId, became: &Delivered) -> TxResult<()> {
    let Delivered::Done { reference: Some(url), data } = became else { return Ok(()) };
    let Some(shelf) = data["shelf"].as_str() else { return Ok(()) };
    tx.send(sql::SOURCE_ITEM_SET_SHELF, named_params! { ":entry": entry.0, ":shelf": shelf })?;
    tx.send(sql::ENTRY_SET_URL, named_params! { ":id": entry.0, ":url": url })
}

fn wake_those_that_wait(tx: &Tx<'_>, delivery: DeliveryId) -> TxResult<()> {
    let conditions = tx.all(sql::WAKE_DELIVERY_SETTLE, named_params! { ":outbox": delivery.0 }, |row| {
        Ok((row.plain::<i64>("run_seq")?, row.plain::<i64>("condition")?))
    })?;
    for (run, condition) in conditions {
        let params = named_params! { ":run": run, ":condition": condition };
        let still_open = tx.one(sql::WAKE_DELIVERY_IS_OPEN, params, |_| Ok(()))?.is_some();
        if !still_open && LiveRun::get(tx, run)?.state == tollgate_core::run::RunState::Waiting {
            LiveRun::wake(tx, run, "its effects were delivered")?;
        }
    }
    Ok(())
}

fn retry_one(
    tx: &Tx<'_>,
    delivery: DeliveryTicket,
    at: Timestamp,
    reason: &str,
    ambiguous: bool,
) -> TxResult<bool> {
    let params = named_params! {
        ":id": delivery.id.0,
        ":fence": delivery.fence.0,
        ":at": at.as_millis(),
        ":reason": reason,
        ":ambiguous": ambiguous,
    };
    Ok(tx.one(sql::OUTBOX_RETRY_IF_FENCE, params, |_| Ok(()))?.is_some())
}

fn give_back_one(tx: &Tx<'_>, delivery: DeliveryTicket) -> TxResult<bool> {
    let params = named_params! { ":id": delivery.id.0, ":fence": delivery.fence.0 };
    Ok(tx.run(sql::OUTBOX_GIVE_BACK_IF_FENCE, params)? == 1)
}
