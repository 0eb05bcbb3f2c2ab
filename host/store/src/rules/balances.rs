//! Where caps stand while a transaction changes it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use tollgate_core::ledger::CapBalance;

use super::{
    sql,
    tx::{Failure, Row, Tx, TxResult, cents, json_of, named_params},
};

/// A cap, and the label of a period of it.
pub(super) type Period = (i64, String);

/// Where caps stand in some periods, as the transaction read it and then as it left it. Nobody else changes it before its end.
#[derive(Default)]
pub(super) struct Balances(BTreeMap<Period, CapBalance>);

impl Balances {
    /// Reads where caps stand in these periods, unless that is known. Everybody takes them in the order of their caps.
    pub(super) fn read(&mut self, tx: &Tx<'_>, periods: impl IntoIterator<Item = Period>) -> TxResult<()> {
        let unknown: BTreeSet<_> =
            periods.into_iter().filter(|period| !self.0.contains_key(period)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        if tx.is_alone() {
            unknown.iter().try_for_each(|period| foresee(tx, period))?;
            for period in unknown {
                let balance = get(tx, &period)?;
                self.0.insert(period, balance);
            }
            return Ok(());
        }
        let listed: Vec<_> =
            unknown.iter().map(|(cap, label)| json!({ "cap_id": cap, "label": label })).collect();
        let listed = json_of(&listed)?;
        // Everybody who spends waits for these rows, and would wait for a disk each.
        tx.free_early()?;
        let mut found = lock(tx, &listed)?;
        if found.len() < unknown.len() {
            // Nothing was counted in one of them before.
            tx.send(sql::CAP_PERIOD_BEGIN, named_params! { ":periods": listed })?;
            found = lock(tx, &listed)?;
        }
        self.0.extend(found);
        Ok(())
    }

    /// Where a cap stands in a period that was read.
    pub(super) fn of(&self, period: &Period) -> TxResult<CapBalance> {
        let found = self.0.get(period).copied();
        found.ok_or_else(|| {
            Failure::damaged(format!("where cap {} stands in {} was not read", period.0, period.1))
        })
    }

    pub(super) fn put(&mut self, tx: &Tx<'_>, period: Period, balance: CapBalance) -> TxResult<()> {
        let params = named_params! {
            ":cap": period.0,
            ":label": period.1,
            ":settled": cents(balance.settled),
            ":escrow": cents(balance.escrow),
            ":overdraft": cents(balance.overdraft),
        };
        tx.send(sql::CAP_PERIOD_PUT, params)?;
        self.0.insert(period, balance);
        Ok(())
    }
}

/// Where a cap stands in a period, just now.
pub(super) fn get(tx: &Tx<'_>, (cap, label): &Period) -> TxResult<CapBalance> {
    let params = named_params! { ":cap": cap, ":label": label };
    Ok(tx.one(sql::CAP_PERIOD_GET, params, read)?.unwrap_or_default())
}

/// Says that this is going to be asked.
pub(super) fn foresee(tx: &Tx<'_>, (cap, label): &Period) -> TxResult<()> {
    tx.foresee(sql::CAP_PERIOD_GET, named_params! { ":cap": cap, ":label": label })
}

fn lock(tx: &Tx<'_>, listed: &str) -> TxResult<Vec<(Period, CapBalance)>> {
    tx.all(sql::CAP_PERIOD_LOCK, named_params! { ":periods": listed }, |row| {
        Ok(((row.plain("cap_id")?, row.plain("label")?), read(row)?))
    })
}

fn read(row: &Row<'_>) -> TxResult<CapBalance> {
    Ok(CapBalance {
        settled: row.money("settled")?,
        escrow: row.money("escrow")?,
        overdraft: row.money("overdraft")?,
    })
}
