//! What drivers bring after they have lost their run: refused, and kept for people to see.

use tollgate_core::{
    late::{Brought, Late},
    lease::Fence,
    run::Claim,
};

use super::{
    live_run::LiveRun,
    sql,
    tx::{Failure, Row, Tx, TxResult, json_of, named_params},
};
use crate::{StoreError, port};

/// The run that a claim gives the right to drive. None when it no longer does; then what was brought is kept.
pub(super) fn held_or_kept(
    tx: &Tx<'_>,
    claim: Claim,
    brought: impl FnOnce() -> Option<Brought>,
) -> TxResult<Option<LiveRun>> {
    match LiveRun::held_by(tx, claim) {
        Err(Failure::Refused(StoreError::StaleFence { .. })) => {
            if let Some(brought) = brought() {
                keep(tx, claim, &brought)?;
            }
            Ok(None)
        }
        held => held.map(Some),
    }
}

/// What a driver is told that brought something.
pub(super) fn refuse_unless(in_time: bool, claim: Claim) -> port::Result<()> {
    match in_time {
        true => Ok(()),
        false => Err(StoreError::StaleFence { run: claim.run, fence: claim.fence }),
    }
}

fn keep(tx: &Tx<'_>, claim: Claim, brought: &Brought) -> TxResult<()> {
    let params = named_params! {
        ":run": claim.run.to_string(),
        ":fence": claim.fence.0,
        ":at": tx.now.as_millis(),
        ":brought": json_of(brought)?,
    };
    tx.send(sql::LATE_INSERT, params)
}

/// What came too late for the run in this row, oldest first.
pub(super) fn of_run(tx: &Tx<'_>, run_seq: i64) -> TxResult<Vec<Late>> {
    tx.all(sql::LATE_LIST, named_params! { ":run": run_seq }, read)
}

fn read(row: &Row<'_>) -> TxResult<Late> {
    Ok(Late { fence: Fence(row.plain("fence")?), at: row.time("at")?, brought: row.json("brought")? })
}
