//! Which tables a store has, as an export writes them and an import fills them.
//!
//! The same for every database. What a database only counts (how much waits in a lane, how many entries are in which state) is left out:
//! it counts again as rows come in. A test holds this list against the schemas.

use std::{fmt::Write as _, sync::LazyLock};

use crate::sql::Query;

/// Rows of one page, and of one statement that inserts.
pub(super) const ROWS_MAX: usize = 200;

/// What stands in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Text,
    Bytes,
    Truth,
}

/// A table that is copied row by row.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// What rows are ordered by: its primary key.
    pub(super) key: &'static [&'static str],
    pub(super) columns: &'static [(&'static str, Kind)],
    /// The column that the database numbers by itself otherwise.
    pub(super) numbered: Option<&'static str>,
}

/// The queries of a table.
#[derive(Debug)]
struct Texts {
    first: [String; 2],
    next: [String; 2],
    insert: [String; 2],
    count_on: Option<String>,
}

macro_rules! tables {
    ($($name:ident by [$($key:ident),*] $(numbered $numbered:ident)? { $($column:ident: $kind:ident),* })*) => {
        /// Every such table, each after those that its rows refer to.
        pub(super) const TABLES: &[Table] = &[$(Table {
            name: stringify!($name),
            key: &[$(stringify!($key)),*],
            columns: &[$((stringify!($column), Kind::$kind)),*],
            numbered: [$(Some(stringify!($numbered)),)? None][0],
        }),*];
    };
}

#[rustfmt::skip]
tables! {
    policy_version by [version] numbered version { version: Integer, digest: Bytes, document: Text, who: Text, why: Text, applied_at: Integer }
    pins by [digest] { digest: Bytes, body: Text }
    plugin_version by [digest] { digest: Bytes, name: Text, version: Text, contract: Text, first_seen_at: Integer }
    tranche by [pins, scope] { pins: Bytes, scope: Text, amount: Integer }
    cap by [id] numbered id { id: Integer, scope: Text, period: Text, zone: Text, limit_amount: Integer, active: Truth }
    cap_period by [cap_id, label] { cap_id: Integer, label: Text, settled: Integer, escrow: Integer, overdraft: Integer }
    snapshot by [revision] { revision: Bytes, body: Text }
    entry by [id] numbered id { id: Integer, tracker: Text, key: Text, backlog: Text, state: Text, held_for: Text, closed: Truth, revision: Bytes, basis: Bytes, worked: Bytes, adopted: Truth, depends: Text, arrival: Bytes, rounds: Integer, title: Text, url: Text, created_at: Integer, first_seen_at: Integer }
    source_item by [entry_id] { entry_id: Integer, body: Text }
    supplement by [entry_id] { entry_id: Integer, version: Integer, body: Text }
    link by [entry_id, position] { entry_id: Integer, position: Integer, kind: Text, tracker: Text, key: Text, written: Text, source: Text }
    similar by [backlog, number, entry_id] { backlog: Text, number: Integer, entry_id: Integer }
    intake by [id] numbered id { id: Integer, backlog: Text, scope: Text, at: Integer }
    hold by [entry_id, position] { entry_id: Integer, position: Integer, kind: Text, subject: Text, reason: Text, until_at: Integer, since_at: Integer, link_position: Integer, target_id: Integer }
    place by [entry_id] { entry_id: Integer, lane_id: Integer, rank_key: Bytes, score_thousandths: Integer, terms: Text, due_at: Integer, former_key: Bytes, rejudged: Truth }
    rescoring by [id] { id: Integer, lease_until: Integer }
    ready by [lane_id, rank_key, entry_id] { lane_id: Integer, rank_key: Bytes, entry_id: Integer, run_seq: Integer }
    reconcile by [id] numbered id { id: Integer, backlog: Text, tracker: Text, begun_at: Integer, ended_at: Integer, complete: Truth }
    sighting by [entry_id] { entry_id: Integer, reconcile: Integer }
    run by [seq] numbered seq { seq: Integer, id: Text, entry_id: Integer, lane_id: Integer, backlog: Text, pipeline: Text, kind: Text, round: Integer, title: Text, revision: Bytes, pins: Bytes, rank_key: Bytes, order_facts: Text, state: Text, reason: Text, fence: Integer, host: Text, lease_until: Integer, crashes: Integer, started_at: Integer, ended_at: Integer, cost: Integer, escrow: Integer, chain_events: Integer, chain_hash: Bytes, heard: Integer, rebuilt: Truth, payer: Integer }
    opened by [entry_id] { entry_id: Integer, backlog: Text, fingerprint: Text, parent_id: Integer, run_seq: Integer, origin_id: Integer, depth: Integer }
    child by [run_seq, entry_id] { run_seq: Integer, entry_id: Integer }
    family by [run_seq] { run_seq: Integer, limit_amount: Integer, settled: Integer, escrow: Integer }
    unfunded by [entry_id] { entry_id: Integer, payer: Integer, run_seq: Integer, amount: Integer }
    inbox by [id] numbered id { id: Integer, run_seq: Integer, sent_at: Integer, who: Text, kind: Text, body: Text, applied_at: Integer }
    late by [id] numbered id { id: Integer, run_seq: Integer, fence: Integer, at: Integer, brought: Text }
    lost_host by [run_seq, fence] { run_seq: Integer, fence: Integer, host: Text }
    step by [id] numbered id { id: Integer, run_seq: Integer, stage: Text, gate: Text, rework: Integer, attempt: Integer, plugin: Bytes, settled_at: Integer, fuel: Integer, cost: Integer, body: Text }
    attempt by [run_seq, stage, gate, rework, attempt] { run_seq: Integer, stage: Text, gate: Text, rework: Integer, attempt: Integer, plugin: Bytes, begun: Text, charged: Integer }
    journal by [run_seq, stage, gate, rework, attempt, call] { run_seq: Integer, stage: Text, gate: Text, rework: Integer, attempt: Integer, call: Integer, intent: Text, answer: Text, open: Truth }
    escrow by [run_seq, cap_id, label] { run_seq: Integer, cap_id: Integer, label: Text, amount: Integer }
    event by [run_seq, seq] { run_seq: Integer, seq: Integer, at: Integer, kind: Text, body: Text, hash: Bytes }
    event_pack by [run_seq] { run_seq: Integer, events: Integer, body: Bytes }
    adoption by [seq] numbered seq { seq: Integer, id: Text, entry_id: Integer, adopted_at: Integer, body: Text }
    prior by [id] numbered id { id: Integer, tracker: Text, key: Text, at: Integer, kind: Text, place: Text, body: Text }
    prior_reading by [tracker] { tracker: Text, read_at: Integer }
    outbox by [id] numbered id { id: Integer, run_seq: Integer, adoption: Integer, entry_id: Integer, kind: Text, reference: Text, path: Text, artifact: Bytes, leaves: Bytes, state: Text, fence: Integer, host: Text, lease_until: Integer, next_at: Integer, failures: Integer, ambiguous: Truth, reason: Text, became: Text, settled_at: Integer }
    outbox_body by [outbox_id] { outbox_id: Integer, body: Text }
    wake by [run_seq, at] { run_seq: Integer, at: Integer }
    signal by [id] numbered id { id: Integer, name: Text, run_seq: Integer, who: Text, data: Text, sent_at: Integer }
    wait by [run_seq] { run_seq: Integer, step: Text, since: Integer, body: Text }
    wake_signal by [run_seq, name] { run_seq: Integer, name: Text }
    wake_children by [run_seq] { run_seq: Integer }
    ask by [run_seq] { run_seq: Integer, body: Text }
    wake_delivery by [run_seq, condition, outbox_id] { run_seq: Integer, condition: Integer, outbox_id: Integer }
    host by [id] { id: Text, seen_at: Integer, version: Text, schema: Integer, labels: Text }
    control by [one] { one: Integer, mode: Text, who: Text, why: Text, since_at: Integer }
    decision by [id] numbered id { id: Integer, entry_id: Integer, kind: Text, who: Text, why: Text, body: Text, decided_at: Integer }
    schedule_fire by [schedule, tick_at] { schedule: Text, tick_at: Integer, fired_at: Integer }
}

static TEXTS: LazyLock<Vec<Texts>> = LazyLock::new(|| TABLES.iter().map(Texts::of).collect());

/// The first rows of the table at this place in the list: at most `:limit`.
pub(super) fn first(at: usize) -> Query {
    query(&TEXTS[at].first)
}

/// The rows after the one whose key is in parameters of the names of its columns.
pub(super) fn next(at: usize) -> Query {
    query(&TEXTS[at].next)
}

/// Inserts `:rows`, an array of arrays.
pub(super) fn insert(at: usize) -> Query {
    query(&TEXTS[at].insert)
}

/// Lets the database go on counting behind what was inserted; none where it does so by itself.
pub(super) fn count_on(at: usize) -> Option<Query> {
    // SQLite looks at the largest number itself.
    TEXTS[at].count_on.as_ref().map(|text| Query { sqlite: "SELECT 1;", postgres: text })
}

fn query(texts: &'static [String; 2]) -> Query {
    let [sqlite, postgres] = texts;
    Query { sqlite, postgres }
}

impl Texts {
    fn of(table: &Table) -> Self {
        let name = quoted(table.name);
        let columns = joined(table.columns.iter().map(|(column, _)| quoted(column)));
        let key = joined(table.key.iter().copied().map(quoted));
        let after = joined(table.key.iter().map(|column| format!(":{column}")));
        let first = format!("SELECT {columns} FROM {name} ORDER BY {key} LIMIT :limit;");
        let next =
            format!("SELECT {columns} FROM {name} WHERE ({key}) > ({after}) ORDER BY {key} LIMIT :limit;");
        let values = |read: fn(usize, Kind) -> String| {
            joined(table.columns.iter().enumerate().map(|(at, (_, kind))| read(at, *kind)))
        };
        let sqlite =
            format!("INSERT INTO {name} ({columns}) SELECT {} FROM json_each(:rows);", values(in_sqlite));
        let overriding = if table.numbered.is_some() { " OVERRIDING SYSTEM VALUE" } else { "" };
        let postgres = format!(
            "INSERT INTO {name} ({columns}){overriding} SELECT {} FROM json_array_elements(CAST(:rows AS json)) AS rows (value);",
            values(in_postgres)
        );
        let count_on = table.numbered.map(|column| {
            let column_name = quoted(column);
            format!(
                "SELECT setval(pg_get_serial_sequence('{name}', '{column}'), max({column_name})) AS id FROM {name} \
                 HAVING max({column_name}) IS NOT NULL;"
            )
        });
        Self {
            first: [first.clone(), first],
            next: [next.clone(), next],
            insert: [sqlite, postgres],
            count_on,
        }
    }
}

fn in_sqlite(at: usize, kind: Kind) -> String {
    match kind {
        Kind::Bytes => format!("unhex(json_extract(value, '$[{at}]'))"),
        Kind::Integer | Kind::Text | Kind::Truth => format!("json_extract(value, '$[{at}]')"),
    }
}

fn in_postgres(at: usize, kind: Kind) -> String {
    match kind {
        Kind::Integer => format!("CAST(value ->> {at} AS bigint)"),
        Kind::Text => format!("value ->> {at}"),
        Kind::Bytes => format!("decode(value ->> {at}, 'hex')"),
        Kind::Truth => format!("CAST(CAST(value ->> {at} AS integer) AS boolean)"),
    }
}

fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    for (at, part) in parts.enumerate() {
        let separator = if at == 0 { "" } else { ", " };
        // Writing to a text cannot fail.
        let _infallible = write!(text, "{separator}{part}");
    }
    text
}
