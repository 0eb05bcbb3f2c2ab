//! The applied policy as a store keeps it: lanes, caps, pins.

use tollgate_core::{Digest, LaneId, ledger::Cap, pins::Pins};

use super::{
    ledger, sql,
    tx::{Failure, Tx, TxResult, cents, json_of, named_params},
};
use crate::{
    StoreError,
    port::{AppliedPolicy, CapBalanceReport, Lane, LaneSpec, PolicyApplication},
};

/// Makes a policy the applied one. One that is applied already, with the same pins, changes nothing.
pub(super) fn apply(tx: &Tx<'_>, application: &PolicyApplication) -> TxResult<AppliedPolicy> {
    for cap in &application.caps {
        ledger::zone_of(cap)?;
    }
    if let Some(applied) = applied(tx)?
        && applied.digest == application.digest
        && has_lanes(tx, &application.lanes)?
        && has_caps(tx, &application.caps)?
    {
        return Ok(applied);
    }
    let params = named_params! {
        ":digest": application.digest.as_bytes(),
        ":document": application.document,
        ":who": application.who,
        ":why": application.why,
        ":now": tx.now.as_millis(),
    };
    tx.send(sql::POLICY_INSERT, params)?;
    tx.send(sql::LANE_CLOSE_ALL, &[])?;
    for lane in &application.lanes {
        put_lane(tx, lane)?;
    }
    tx.send(sql::CAP_CLOSE_ALL, &[])?;
    for cap in &application.caps {
        put_cap(tx, cap)?;
    }
    applied(tx)?.ok_or_else(|| Failure::damaged("the policy that was just applied is not there"))
}

/// The applied policy; none before the first.
pub(super) fn applied(tx: &Tx<'_>) -> TxResult<Option<AppliedPolicy>> {
    let lanes = open_lanes(tx)?.into_iter().map(|(lane, _)| lane).collect();
    tx.one(sql::POLICY_GET_APPLIED, &[], |row| {
        Ok(AppliedPolicy {
            version: row.plain("version")?,
            digest: row.digest("digest")?,
            who: row.plain("who")?,
            why: row.plain("why")?,
            at: row.time("applied_at")?,
            lanes,
        })
    })
}

/// The pins with this digest.
pub(super) fn pins(tx: &Tx<'_>, digest: Digest) -> TxResult<Pins> {
    let pins =
        tx.one(sql::PINS_GET, named_params! { ":digest": digest.as_bytes() }, |row| row.json("body"))?;
    pins.ok_or_else(|| StoreError::NotFound { what: "set of pins", name: digest.to_string() }.into())
}

/// Where every cap stands in its present period.
pub(super) fn cap_balances(tx: &Tx<'_>) -> TxResult<Vec<CapBalanceReport>> {
    ledger::active_caps(tx)?
        .into_iter()
        .map(|active| {
            let balance = active.balance(tx)?;
            let until = active.cap.period.next_begins_at(tx.now, &active.zone);
            Ok(CapBalanceReport { cap: active.cap, period: active.label, until, balance })
        })
        .collect()
}

fn open_lanes(tx: &Tx<'_>) -> TxResult<Vec<(Lane, u64)>> {
    tx.all(sql::LANE_LIST_OPEN, &[], |row| {
        let lane = Lane {
            id: LaneId(row.plain("id")?),
            backlog: row.plain("backlog")?,
            pipeline: row.plain("pipeline")?,
            kind: row.word("kind")?,
            pins: row.digest("pins")?,
        };
        Ok((lane, row.count("amount")?))
    })
}

fn has_lanes(tx: &Tx<'_>, wanted: &[LaneSpec]) -> TxResult<bool> {
    let open = open_lanes(tx)?;
    let is_open = |spec: &LaneSpec| {
        let pins = spec.pins.digest();
        open.iter().any(|(lane, tranche)| {
            lane.backlog == spec.backlog
                && lane.pipeline == spec.pipeline
                && lane.kind == spec.kind
                && lane.pins == pins
                && *tranche == spec.tranche.0
        })
    };
    Ok(open.len() == wanted.len() && wanted.iter().all(is_open))
}

fn has_caps(tx: &Tx<'_>, wanted: &[Cap]) -> TxResult<bool> {
    let active = ledger::active_caps(tx)?;
    let is_active = |cap: &Cap| active.iter().any(|active| &active.cap == cap);
    Ok(active.len() == wanted.len() && wanted.iter().all(is_active))
}

fn put_lane(tx: &Tx<'_>, spec: &LaneSpec) -> TxResult<()> {
    let digest = spec.pins.digest();
    let params = named_params! { ":digest": digest.as_bytes(), ":body": json_of(&spec.pins)? };
    tx.send(sql::PINS_INSERT, params)?;
    for plugin in spec.pins.plugins.values() {
        let params = named_params! {
            ":digest": plugin.digest.as_bytes(),
            ":name": plugin.name,
            ":version": plugin.version,
            ":contract": plugin.contract,
            ":now": tx.now.as_millis(),
        };
        tx.send(sql::PLUGIN_VERSION_INSERT, params)?;
    }
    for (scope, amount) in ledger::shares(&spec.pins, spec.tranche) {
        let params = named_params! { ":pins": digest.as_bytes(), ":scope": scope, ":amount": cents(amount) };
        tx.send(sql::TRANCHE_PUT, params)?;
    }
    let params = named_params! {
        ":backlog": spec.backlog,
        ":pipeline": spec.pipeline,
        ":kind": spec.kind.as_str(),
        ":pins": digest.as_bytes(),
    };
    tx.send(sql::LANE_PUT, params)
}

fn put_cap(tx: &Tx<'_>, cap: &Cap) -> TxResult<()> {
    let params = named_params! {
        ":scope": cap.scope,
        ":period": cap.period.as_str(),
        ":zone": cap.zone,
        ":limit": cents(cap.limit),
    };
    tx.send(sql::CAP_PUT, params)
}
