//! What people ask. Nothing here changes anything.

use std::collections::BTreeMap;

use serde::Serialize;
use tollgate_core::{
    Digest, EntryId, LaneId, Microcents, RunId, Timestamp,
    course::EffectRef,
    effect::{Delivered, Effect},
    entry::{EntryName, EntrySnapshot, EntryState, EntryStatus, HoldKind, LinkKind},
    item::SourceItem,
    pipeline::StepName,
    rank::RankKey,
    record::{Record, Term},
    run::RunSummary,
};

use super::{
    adopt, children,
    dependency::{self, Lead},
    entry::KnownEntry,
    family, intake, late, opening, pack, rows,
    sql::{self, Query},
    supplement,
    tx::{Failure, Param, Params, Row, Tx, TxResult, json_of, named_params},
};
use crate::{
    StoreError,
    port::{
        Begun, Coverage, EntryDetail, EntryFilter, History, LaneHead, LinkStatus, NamedEntry, OpenWork, Page,
        RunDetail, RunFilter, Standing, StoredItem,
    },
};

/// Entries: those that wait for their turn in their order, then the others.
pub(super) fn entries(tx: &Tx<'_>, filter: &EntryFilter) -> TxResult<Page<EntryStatus>> {
    let states = list_or_all(&filter.states)?;
    let matching = named_params! { ":backlog": filter.backlog, ":states": states };
    let counted = |row: &Row<'_>| Ok((row.count("total")?, row.count("ready")?));
    let (total, ready) = tx.one(sql::ENTRY_LINE_COUNT, matching, counted)?.unwrap_or_default();
    let mut rows = Vec::new();
    let mut offset = u64::from(filter.offset);
    if offset < ready {
        let params = named_params! {
            ":backlog": filter.backlog, ":limit": limit_or_all(filter.limit), ":offset": offset,
        };
        rows = tx.all(sql::ENTRY_LINE_LIST_READY, params, rows::read_entry_status)?;
        offset = ready;
    }
    let left = filter.limit.saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX));
    if total > ready && (filter.limit == 0 || left > 0) {
        let part: Params<'_> = named_params! { ":limit": limit_or_all(left), ":offset": offset - ready };
        rows.extend(tx.all(sql::ENTRY_LINE_LIST, &[matching, part].concat(), rows::read_entry_status)?);
    }
    for status in &mut rows {
        status.holds = rows::holds(tx, status)?;
    }
    Ok(Page { rows, total })
}

/// One entry by its key.
pub(super) fn entry(tx: &Tx<'_>, key: &str, tracker: Option<&str>) -> TxResult<EntryDetail> {
    let params = named_params! { ":key": key, ":tracker": tracker };
    let found = tx.all(sql::ENTRY_LINE_LIST_BY_KEY, params, |row| {
        let terms = row.json_or_none::<Vec<Term>>("terms")?.unwrap_or_default();
        let place =
            (row.plain::<Option<i64>>("lane_id")?.map(LaneId), row.plain::<Option<Vec<u8>>>("rank_key")?);
        Ok((rows::read_entry_status(row)?, terms, place))
    })?;
    let (mut status, terms, place) = rows::the_one(found, key, |(status, ..)| status.name.tracker.clone())?;
    status.holds = rows::holds(tx, &status)?;
    let known = KnownEntry::get(tx, status.id)?;
    Ok(EntryDetail {
        changed_since: known.state.is_terminal() && intake::says_something_else(tx, &known)?,
        snapshot: snapshot(tx, status.revision)?,
        item: source_item(tx, status.id)?,
        supplement: supplement::get(tx, status.id)?.supplement,
        closed: known.closed,
        links: links(tx, &known)?,
        waiting_for_it: waiting_for(tx, &known)?,
        children: opening::children(tx, known.id)?,
        terms,
        standing: standing(tx, &status, place)?,
        runs: runs_of_entry(tx, &status)?,
        adoptions: adopt::list(tx, Some(status.id))?.into_iter().map(|stored| stored.adoption).collect(),
        status,
    })
}

/// What an entry said at a revision.
pub(super) fn snapshot(tx: &Tx<'_>, revision: Digest) -> TxResult<EntrySnapshot> {
    let params = named_params! { ":revision": revision.as_bytes() };
    let snapshot = tx.one(sql::SNAPSHOT_GET, params, |row| row.json("body"))?;
    snapshot.ok_or_else(|| StoreError::NotFound { what: "revision", name: revision.to_string() }.into())
}

fn source_item(tx: &Tx<'_>, entry: EntryId) -> TxResult<SourceItem> {
    let item = tx.one(sql::SOURCE_ITEM_GET, named_params! { ":entry": entry.0 }, |row| row.json("body"))?;
    item.ok_or_else(|| Failure::damaged(format!("entry {entry} has no item")))
}

fn links(tx: &Tx<'_>, entry: &KnownEntry) -> TxResult<Vec<LinkStatus>> {
    let status = |Lead { link, target, .. }| {
        let satisfied = link.kind == LinkKind::DependsOn && target.satisfies(entry.depends);
        LinkStatus { link, target: target.state(), satisfied }
    };
    Ok(dependency::leads(tx, entry.id)?.into_iter().map(status).collect())
}

fn waiting_for(tx: &Tx<'_>, entry: &KnownEntry) -> TxResult<Vec<String>> {
    let params = named_params! { ":entry": entry.id.0, ":key": entry.name.key };
    tx.all(sql::LINK_LIST_WAITING, params, |row| row.plain("key"))
}

fn standing(
    tx: &Tx<'_>,
    status: &EntryStatus,
    place: (Option<LaneId>, Option<Vec<u8>>),
) -> TxResult<Option<Standing>> {
    let (Some(lane), Some(rank_key)) = place else { return Ok(None) };
    if !matches!(status.state, EntryState::Ready | EntryState::Held) {
        return Ok(None);
    }
    let params = named_params! { ":lane": lane.0, ":rank_key": rank_key, ":entry": status.id.0 };
    let counted = |row: &Row<'_>| Ok((row.count("ahead")?, row.count("waiting")?));
    let (ahead, waiting) = tx.one(sql::READY_COUNT_AHEAD, params, counted)?.unwrap_or_default();
    let head = tx.one(sql::READY_GET_HEAD, named_params! { ":lane": lane.0 }, |row| {
        Ok(LaneHead {
            key: row.plain("key")?,
            score_thousandths: row.plain("score_thousandths")?,
            is_begun: row.plain("is_begun")?,
        })
    })?;
    Ok(Some(Standing { rank_key: RankKey::from_bytes(rank_key), ahead, waiting, head }))
}

/// What entries are called.
pub(super) fn names(tx: &Tx<'_>, after: Option<EntryId>, limit: u32) -> TxResult<Vec<NamedEntry>> {
    let params = named_params! { ":after": after.map(|after| after.0), ":limit": limit };
    tx.all(sql::ENTRY_LIST_NAMES, params, |row| {
        let name = EntryName { tracker: row.plain("tracker")?, key: row.plain("key")? };
        Ok(NamedEntry { id: row.entry_id("id")?, name, url: row.plain("url")? })
    })
}

/// Entries and what their sources said last.
pub(super) fn items(tx: &Tx<'_>, after: Option<EntryId>, limit: u32) -> TxResult<Vec<StoredItem>> {
    list_items(tx, sql::ENTRY_LIST_ITEMS, after, limit)
}

/// Internal entries that wait, and what was said of them.
pub(super) fn internal_items(tx: &Tx<'_>, after: Option<EntryId>, limit: u32) -> TxResult<Vec<StoredItem>> {
    list_items(tx, sql::OPENED_LIST_ITEMS, after, limit)
}

fn list_items(tx: &Tx<'_>, query: Query, after: Option<EntryId>, limit: u32) -> TxResult<Vec<StoredItem>> {
    let params = named_params! { ":after": after.map(|after| after.0), ":limit": limit };
    tx.all(query, params, read_item)
}

/// What waits in one lane, and what was said of it.
pub(super) fn items_of_lane(
    tx: &Tx<'_>,
    backlog: &str,
    pipeline: &str,
    limit: u32,
) -> TxResult<Vec<StoredItem>> {
    let params = named_params! { ":backlog": backlog, ":pipeline": pipeline, ":limit": limit };
    tx.all(sql::READY_LIST_ITEMS, params, read_item)
}

fn read_item(row: &Row<'_>) -> TxResult<StoredItem> {
    Ok(StoredItem {
        id: row.entry_id("id")?,
        backlog: row.plain("backlog")?,
        state: row.word("state")?,
        is_held_by_others: row.plain("is_held_by_others")?,
        item: row.json("body")?,
        supplement: row.json_or_none("supplement")?.unwrap_or_default(),
        first_seen_at: row.time("first_seen_at")?,
    })
}

/// Entries by their numbers, in the order of these.
pub(super) fn entries_by_id(tx: &Tx<'_>, ids: &[EntryId]) -> TxResult<Vec<EntryStatus>> {
    let numbers: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let params = named_params! { ":ids": json_of(&numbers)? };
    let mut found = tx.all(sql::ENTRY_LINE_LIST_BY_ID, params, rows::read_entry_status)?;
    let places: BTreeMap<EntryId, usize> = ids.iter().copied().zip(0..).collect();
    found.sort_by_key(|status| places.get(&status.id));
    for status in &mut found {
        status.holds = rows::holds(tx, status)?;
    }
    Ok(found)
}

/// Entries that work had begun on at a time.
pub(super) fn begun_by(tx: &Tx<'_>, when: Timestamp) -> TxResult<Vec<Begun>> {
    tx.all(sql::RUN_LIST_BEGUN, named_params! { ":when": when.as_millis() }, |row| {
        Ok(Begun { entry: row.entry_id("entry_id")?, is_done: row.plain("is_done")? })
    })
}

fn runs_of_entry(tx: &Tx<'_>, status: &EntryStatus) -> TxResult<Vec<RunSummary>> {
    let params = named_params! { ":entry": status.id.0 };
    tx.all(sql::RUN_LINE_LIST_OF_ENTRY, params, |row| rows::read_run_summary(row, tx.now))
}

/// Runs, newest first.
pub(super) fn runs(tx: &Tx<'_>, filter: &RunFilter) -> TxResult<Page<RunSummary>> {
    let queries = Paged { count: sql::RUN_LINE_COUNT, list: sql::RUN_LINE_LIST };
    let states = list_or_all(&filter.states)?;
    let matching = named_params! { ":key": filter.key, ":states": states };
    queries.page(tx, matching, filter.limit, filter.offset, |row| rows::read_run_summary(row, tx.now))
}

/// One run with all that is known of it.
pub(super) fn run(tx: &Tx<'_>, id: RunId) -> TxResult<RunDetail> {
    let found = tx.one(sql::RUN_LINE_GET, named_params! { ":id": id.to_string() }, |row| {
        let summary = rows::read_run_summary(row, tx.now)?;
        Ok((row.plain::<i64>("seq")?, summary, row.json("order_facts")?, row.money("escrow")?))
    })?;
    let (seq, summary, order, escrow) =
        found.ok_or_else(|| StoreError::NotFound { what: "run", name: id.to_string() })?;
    let of_run = named_params! { ":run": seq };
    let record = tx.one(sql::OUTBOX_GET_RECORD, of_run, |row| {
        Ok((row.json::<Record>("body")?, row.json_or_none::<Delivered>("became")?))
    })?;
    let (record, record_delivered) = record.unzip();
    let events = pack::events(tx, seq)?;
    Ok(RunDetail {
        summary,
        order,
        steps: tx.all(sql::STEP_LIST, of_run, |row| row.json("body"))?,
        effects: tx.all(sql::OUTBOX_LIST_EFFECTS, of_run, read_effect)?,
        decisions: tx.all(sql::INBOX_LIST_APPLIED, of_run, |row| row.json("body"))?,
        waits: pack::wait_ends(&events)?,
        events,
        children: children::of_run(tx, seq)?,
        family: family::of_run(tx, seq)?,
        escrow,
        late: late::of_run(tx, seq)?,
        record,
        record_delivered: record_delivered.flatten(),
    })
}

fn read_effect(row: &Row<'_>) -> TxResult<(EffectRef, Effect, Option<Delivered>)> {
    Ok((row.json("reference")?, row.json("body")?, row.json_or_none("became")?))
}

/// The newest run of an entry.
pub(super) fn newest_run(tx: &Tx<'_>, entry: &EntryName) -> TxResult<Option<RunId>> {
    let params = named_params! { ":tracker": entry.tracker, ":key": entry.key };
    tx.one(sql::RUN_GET_NEWEST, params, |row| row.parsed("id"))
}

/// Every run's id, oldest first.
pub(super) fn run_ids(tx: &Tx<'_>) -> TxResult<Vec<RunId>> {
    tx.all(sql::RUN_LIST_IDS, &[], |row| row.parsed("id"))
}

/// How much of each backlog is in which state.
pub(super) fn coverage(tx: &Tx<'_>) -> TxResult<Vec<Coverage>> {
    let mut backlogs: BTreeMap<String, Coverage> = BTreeMap::new();
    let counts = tx.all(sql::COVERAGE_LIST, &[], |row| {
        let held_for = row.plain::<String>("held_for")?;
        let held_for = HoldKind::ALL.into_iter().find(|kind| kind.as_str() == held_for);
        Ok((
            row.plain::<String>("backlog")?,
            row.word::<EntryState>("state")?,
            held_for,
            row.plain::<bool>("adopted")?,
            row.count("entries")?,
        ))
    })?;
    for (backlog, state, held_for, adopted, entries) in counts {
        let coverage = backlogs.entry(backlog.clone()).or_insert_with(|| empty_coverage(backlog));
        *coverage.states.entry(state).or_default() += entries;
        if adopted && state == EntryState::Done {
            coverage.adopted += entries;
        }
        if let Some(kind) = held_for {
            *coverage.holds.entry(kind).or_default() += entries;
        }
    }
    let costs =
        tx.all(sql::BACKLOG_COST_LIST, &[], |row| Ok((row.plain::<String>("backlog")?, row.money("cost")?)))?;
    for (backlog, cost) in costs {
        backlogs.entry(backlog.clone()).or_insert_with(|| empty_coverage(backlog)).cost = cost;
    }
    Ok(backlogs.into_values().collect())
}

fn empty_coverage(backlog: String) -> Coverage {
    Coverage { backlog, states: BTreeMap::new(), holds: BTreeMap::new(), adopted: 0, cost: Microcents::ZERO }
}

/// Whether there is anything left to do.
pub(super) fn open_work(tx: &Tx<'_>) -> TxResult<OpenWork> {
    let now = named_params! { ":now": tx.now.as_millis() };
    let work = tx.one(sql::OPEN_WORK_GET, now, |row| {
        Ok(OpenWork {
            ready: row.count("ready")?,
            driven: row.count("driven")?,
            waiting: row.count("waiting")?,
            asking: row.count("asking")?,
            listening: row.count("listening")?,
            to_judge: row.plain("to_judge")?,
            next_wake_at: row.time_or_none("next_wake_at")?,
            undelivered: row.count("undelivered")?,
            next_delivery_at: row.time_or_none("next_delivery_at")?,
        })
    })?;
    Ok(work.unwrap_or_default())
}

/// How many calls a history goes back.
const HISTORY_CALLS: i64 = 1_000;

/// What earlier calls of a component used.
pub(super) fn history(
    tx: &Tx<'_>,
    pipeline: &str,
    component: &StepName,
    plugin: Digest,
) -> TxResult<History> {
    let params = named_params! {
        ":pipeline": pipeline,
        ":stage": component.stage,
        ":gate": component.gate.as_deref().unwrap_or_default(),
        ":plugin": plugin.as_bytes(),
        ":limit": HISTORY_CALLS,
    };
    let calls = tx.all(sql::HISTORY_LIST, params, |row| {
        let (started, ended) = (row.parsed::<Timestamp>("started_at")?, row.parsed::<Timestamp>("ended_at")?);
        Ok((row.count("fuel")?, ended.since(started)))
    })?;
    let (mut fuel, mut time): (Vec<_>, Vec<_>) = calls.into_iter().unzip();
    fuel.sort_unstable();
    time.sort_unstable();
    Ok(History { fuel, time })
}

/// Two queries over the same rows: how many match, and one page of those that do.
pub(super) struct Paged {
    pub(super) count: Query,
    pub(super) list: Query,
}

impl Paged {
    pub(super) fn page<T>(
        self,
        tx: &Tx<'_>,
        matching: Params<'_>,
        limit: u32,
        offset: u32,
        read: impl FnMut(&Row<'_>) -> TxResult<T>,
    ) -> TxResult<Page<T>> {
        let total = tx.one(self.count, matching, |row| row.count("total"))?.unwrap_or_default();
        let limit = limit_or_all(limit);
        let part: [(&str, &dyn Param); 2] = [(":limit", &limit), (":offset", &offset)];
        let rows = tx.all(self.list, [matching, &part].concat().as_slice(), read)?;
        Ok(Page { rows, total })
    }
}

/// A list to filter by; none, where it is empty, stands for no filter.
pub(super) fn list_or_all<T: Serialize>(list: &[T]) -> TxResult<Option<String>> {
    if list.is_empty() { Ok(None) } else { json_of(&list).map(Some) }
}

fn limit_or_all(limit: u32) -> i64 {
    if limit == 0 { -1 } else { limit.into() }
}
