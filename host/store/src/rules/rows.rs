//! Lines for people, and the sentences about dependencies.

use tollgate_core::{
    HostId, LaneId, RunId, Timestamp,
    entry::{EntryName, EntryState, EntryStatus, Hold, HoldKind},
    lease::Fence,
    record::OrderFacts,
    run::RunSummary,
};

use super::{
    sql,
    tx::{Failure, Row, Tx, TxResult, named_params},
};
use crate::StoreError;

/// A run as whoever drives it has to know it: its line, and what put it where it stood.
pub(super) fn run_at_claim(tx: &Tx<'_>, id: RunId) -> TxResult<(RunSummary, OrderFacts)> {
    let read = |row: &Row<'_>| Ok((read_run_summary(row, tx.now)?, row.json("order_facts")?));
    let run = tx.one(sql::RUN_LINE_GET, named_params! { ":id": id.to_string() }, read)?;
    run.ok_or_else(|| StoreError::NotFound { what: "run", name: id.to_string() }.into())
}

/// A row of `run_line`. A host whose lease has ended is lost, whether or not a sweep has come by.
pub(super) fn read_run_summary(row: &Row<'_>, now: Timestamp) -> TxResult<RunSummary> {
    let host = HostId(row.plain("host")?);
    let lease_until = row.time_or_none("lease_until")?;
    let mut lost_hosts: Vec<HostId> = row.json_or_none("lost_hosts")?.unwrap_or_default();
    if lease_until.is_some_and(|until| until <= now) {
        lost_hosts.push(host.clone());
    }
    Ok(RunSummary {
        id: row.parsed("id")?,
        entry_id: row.entry_id("entry_id")?,
        entry: read_name(row)?,
        title: row.plain("title")?,
        lane: LaneId(row.plain("lane_id")?),
        pipeline: row.plain("pipeline")?,
        kind: row.word("kind")?,
        round: row.small_count("round")?,
        state: row.word("state")?,
        reason: row.plain("reason")?,
        ask: row.json_or_none("ask")?,
        host,
        driven: lease_until.is_some_and(|until| until > now),
        lost_hosts,
        fence: Fence(row.plain("fence")?),
        crashes: row.small_count("crashes")?,
        started_at: row.time("started_at")?,
        ended_at: row.time_or_none("ended_at")?,
        cost: row.money("cost")?,
        pins: row.digest("pins")?,
        revision: row.digest("revision")?,
        rebuilt: row.plain("rebuilt")?,
    })
}

/// A row of `entry_line`, without its holds.
pub(super) fn read_entry_status(row: &Row<'_>) -> TxResult<EntryStatus> {
    Ok(EntryStatus {
        id: row.entry_id("id")?,
        name: read_name(row)?,
        backlog: row.plain("backlog")?,
        title: row.plain("title")?,
        url: row.plain("url")?,
        state: row.word("state")?,
        adopted: row.plain("adopted")?,
        holds: Vec::new(),
        pipeline: row.plain("pipeline")?,
        score_thousandths: row.plain("score_thousandths")?,
        revision: row.digest("revision")?,
        rounds: row.small_count("rounds")?,
        created_at: row.time("created_at")?,
    })
}

/// The reasons of an entry that is held.
pub(super) fn holds(tx: &Tx<'_>, status: &EntryStatus) -> TxResult<Vec<Hold>> {
    if status.state != EntryState::Held {
        return Ok(Vec::new());
    }
    tx.all(sql::HOLD_LIST, named_params! { ":entry": status.id.0 }, read_hold)
}

fn read_name(row: &Row<'_>) -> TxResult<EntryName> {
    Ok(EntryName { tracker: row.plain("tracker")?, key: row.plain("key")? })
}

fn read_hold(row: &Row<'_>) -> TxResult<Hold> {
    let kind: HoldKind = row.word("kind")?;
    let subject: String = row.plain("subject")?;
    let reason = match row.plain::<Option<String>>("reason")? {
        Some(reason) => reason,
        None => {
            let written: Option<String> = row.plain("written")?;
            let target: Option<EntryState> = row.word_or_none("state")?;
            let closed = row.plain::<Option<bool>>("closed")?.unwrap_or_default();
            sentence_about_dependency(&subject, written.as_deref(), target, closed)
        }
    };
    Ok(Hold { kind, subject, reason, until: row.time_or_none("until_at")? })
}

fn sentence_about_dependency(
    key: &str,
    written: Option<&str>,
    target: Option<EntryState>,
    closed: bool,
) -> String {
    let named = match written {
        Some(written) if written != key => format!("{key} (written `{written}`)"),
        _ => key.to_owned(),
    };
    let doing = match target {
        None => {
            return format!(
                "depends on {named}, and no entry of that key is known; correct the key, or declare an alias for it"
            );
        }
        Some(EntryState::New) => "has not been judged yet",
        Some(EntryState::Held) => "is held",
        Some(EntryState::Ready) => "waits for its turn",
        Some(EntryState::Busy) => "is being worked on",
        Some(EntryState::Done) => "is done, and not closed in its tracker",
        Some(_) if closed => "is closed in its tracker, and no run of it is done",
        Some(EntryState::Failed) => "failed",
        Some(EntryState::Escalated) => "was escalated",
        Some(EntryState::Blocked) => "is blocked",
        Some(EntryState::Gone) => "is gone from its tracker",
    };
    format!("waits for {named}, which {doing}")
}

/// The one of those that were found by a key.
///
/// # Errors
///
/// [`StoreError::NotFound`], and [`StoreError::Conflict`] when several trackers have it.
pub(super) fn the_one<T>(mut found: Vec<T>, key: &str, tracker_of: impl Fn(&T) -> String) -> TxResult<T> {
    match found.len() {
        0 => Err(StoreError::NotFound { what: "entry", name: key.to_owned() }.into()),
        1 => Ok(found.remove(0)),
        _ => {
            let trackers: Vec<_> = found.iter().map(tracker_of).collect();
            Err(Failure::Refused(StoreError::Conflict(format!(
                "several trackers have an entry `{key}`: {}; name one of them",
                trackers.join(", ")
            ))))
        }
    }
}
