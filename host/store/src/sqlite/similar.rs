//! Entries that say what an earlier one of their backlog says.
//!
//! An arrival is compared with the few entries whose sketches share most with its own, so what it costs does not grow with the backlog
//! but for one look into an index. Duplicates are not entered there: a thousand of one text are compared with the first alone.

use rusqlite::named_params;
use tollgate_core::{
    EntryId,
    entry::{EntryName, EntrySnapshot, Hold, HoldKind, LinkKind},
    likeness::{LIKENESS_SOURCE, Words},
};

use super::{
    sql,
    tx::{Columns, Tx, TxResult, json_of},
};
use crate::port::Arrival;

/// Entries that one is compared with.
const COMPARED_MAX: u32 = 8;

/// Behind the links that anybody says.
const LINK_POSITION: i64 = 1_000_000;

/// The earlier entry that says nearly the same.
pub(super) struct Duplicate {
    of: EntryName,
    thousandths: u32,
}

impl Duplicate {
    /// Why the later one is held.
    pub(super) fn hold(&self) -> Hold {
        Hold {
            kind: HoldKind::Duplicate,
            subject: self.of.key.clone(),
            reason: format!(
                "it says nearly what {} says: {} % of their words are the same",
                self.of.key,
                self.thousandths / 10
            ),
            until: None,
        }
    }
}

/// The entry that an arrival, which is not known yet, says nearly the same as; the one most like it.
pub(super) fn find(tx: &Tx<'_>, arrival: &Arrival) -> TxResult<Option<Duplicate>> {
    let Some(limit) = arrival.guard.duplicate_thousandths else { return Ok(None) };
    let words = words(&arrival.snapshot);
    let Some(sketch) = words.sketch() else { return Ok(None) };
    let params = named_params! {
        ":backlog": arrival.backlog, ":numbers": json_of(&sketch.as_slice())?, ":limit": COMPARED_MAX,
    };
    let near = tx.all(sql::SIMILAR_LIST, params, |row| {
        let name = EntryName { tracker: row.plain("tracker")?, key: row.plain("key")? };
        Ok((name, row.json::<EntrySnapshot>("body")?))
    })?;
    let compared = near.into_iter().map(|(of, snapshot)| Duplicate {
        of,
        thousandths: words.likeness_thousandths(&self::words(&snapshot)),
    });
    let alike = compared.filter(|found| found.thousandths >= limit);
    // Of several that are as like, the first that came in.
    Ok(alike.reduce(|best, other| if other.thousandths > best.thousandths { other } else { best }))
}

/// Notes what was found, or by what the next ones find this entry.
pub(super) fn insert(
    tx: &Tx<'_>,
    entry: EntryId,
    arrival: &Arrival,
    duplicate: Option<Duplicate>,
) -> TxResult<()> {
    if arrival.guard.duplicate_thousandths.is_none() {
        return Ok(());
    }
    if let Some(Duplicate { of, .. }) = duplicate {
        let params = named_params! {
            ":entry": entry.0,
            ":position": LINK_POSITION,
            ":kind": LinkKind::DuplicateOf.as_str(),
            ":tracker": of.tracker,
            ":key": of.key,
            ":written": None::<String>,
            ":source": LIKENESS_SOURCE,
        };
        tx.run(sql::LINK_INSERT, params)?;
        return Ok(());
    }
    for number in words(&arrival.snapshot).sketch().into_iter().flatten() {
        let params = named_params! { ":backlog": arrival.backlog, ":number": number, ":entry": entry.0 };
        tx.run(sql::SIMILAR_INSERT, params)?;
    }
    Ok(())
}

fn words(snapshot: &EntrySnapshot) -> Words {
    Words::of(&snapshot.title, &snapshot.body)
}
