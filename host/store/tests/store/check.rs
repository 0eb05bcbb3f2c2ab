//! What must agree in a store at every commit, checked by counting again what it keeps count of.

use std::path::Path;

use rusqlite::Connection;
use tokio_postgres::{Client, IsolationLevel, SimpleQueryMessage};

/// What SQLite counts in one place, and PostgreSQL a share for each connection.
const SHARED: &[(&str, &str, &str)] = &[
    (
        "{lane}",
        "lane",
        "(SELECT lane.id, coalesce(sum(lane_share.waiting), 0) AS waiting
          FROM lane LEFT JOIN lane_share ON lane_share.lane_id = lane.id GROUP BY lane.id) AS lane",
    ),
    (
        "{coverage}",
        "coverage",
        "(SELECT backlog, state, held_for, adopted, CAST(sum(entries) AS bigint) AS entries
          FROM coverage GROUP BY 1, 2, 3, 4) AS coverage",
    ),
];

/// Each query finds rows that contradict the sentence, in whichever database.
const CONTRADICTIONS: &[(&str, &str)] = &[
    (
        "an entry that is ready has a row in the ready index",
        "SELECT entry.id FROM entry JOIN place ON place.entry_id = entry.id
         LEFT JOIN ready ON ready.entry_id = entry.id AND ready.run_seq IS NULL
             AND ready.lane_id = place.lane_id AND ready.rank_key = place.rank_key
         WHERE entry.state = 'ready' AND ready.lane_id IS NULL",
    ),
    (
        "a running run that nobody drives has a row in the ready index",
        "SELECT run.seq FROM run LEFT JOIN ready ON ready.run_seq = run.seq
         WHERE run.state = 'running' AND run.lease_until IS NULL AND ready.lane_id IS NULL",
    ),
    (
        "the ready index has nothing else",
        "SELECT ready.entry_id FROM ready JOIN entry ON entry.id = ready.entry_id
         LEFT JOIN run ON run.seq = ready.run_seq
         WHERE CASE WHEN ready.run_seq IS NULL THEN entry.state <> 'ready'
                    ELSE run.state <> 'running' OR run.lease_until IS NOT NULL END",
    ),
    (
        "who listens for a signal waits as a call of it asked",
        "SELECT wake_signal.run_seq FROM wake_signal JOIN run ON run.seq = wake_signal.run_seq
         LEFT JOIN wait ON wait.run_seq = run.seq
         WHERE run.state <> 'waiting' OR wait.run_seq IS NULL",
    ),
    (
        "who waits for its children has one that is not over, or is to be opened",
        "SELECT wake_children.run_seq FROM wake_children JOIN run ON run.seq = wake_children.run_seq
         WHERE run.state <> 'waiting'
            OR NOT EXISTS (SELECT 1 FROM child JOIN entry ON entry.id = child.entry_id
                           WHERE child.run_seq = run.seq AND entry.state NOT IN ('done', 'failed', 'blocked', 'gone'))
           AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.run_seq = run.seq AND outbox.state <> 'settled')",
    ),
    (
        "what a run opened counts with it, and with those above it",
        "WITH RECURSIVE line (seq, payer) AS (
             SELECT seq, payer FROM run WHERE payer IS NOT NULL
             UNION ALL
             SELECT line.seq, run.payer FROM line JOIN run ON run.seq = line.payer WHERE run.payer IS NOT NULL)
         SELECT run_seq FROM family WHERE (settled, escrow) <> (
             SELECT coalesce(sum(run.cost), 0), coalesce(sum(run.escrow), 0)
             FROM line JOIN run ON run.seq = line.seq WHERE line.payer = family.run_seq)",
    ),
    (
        "who waits for money has a live run that pays, and is not in the ready index",
        "SELECT unfunded.entry_id FROM unfunded JOIN run AS payer ON payer.seq = unfunded.payer
         LEFT JOIN ready ON ready.entry_id = unfunded.entry_id
         WHERE ready.entry_id IS NOT NULL OR payer.state NOT IN ('running', 'waiting')",
    ),
    (
        "lanes count what waits in them",
        "SELECT id FROM {lane} WHERE waiting <> (SELECT count(*) FROM ready WHERE lane_id = lane.id)",
    ),
    (
        "coverage counts entries",
        "SELECT backlog, state, coalesce(held_for, '') AS held_for, adopted, count(*) AS entries FROM entry GROUP BY 1, 2, 3, 4
         EXCEPT SELECT backlog, state, held_for, adopted, entries FROM {coverage}",
    ),
    (
        "coverage counts nothing else",
        "SELECT sum(entries) FROM coverage HAVING sum(entries) <> (SELECT count(*) FROM entry)",
    ),
    (
        "of the entries that wait, those with a hold are held",
        "SELECT id FROM entry WHERE state IN ('new', 'held', 'ready')
           AND (state = 'held') <> EXISTS (SELECT 1 FROM hold WHERE entry_id = entry.id)",
    ),
    (
        "an entry is busy as long as a run of it is alive",
        "SELECT id FROM entry WHERE (state = 'busy') <> EXISTS (
             SELECT 1 FROM run WHERE entry_id = entry.id AND state IN ('running', 'waiting'))",
    ),
    (
        "unsatisfied dependencies hold, and no others",
        // Of those that have the key: there before gone, and then the own tracker before the others, of which there must be one.
        "WITH candidate AS (
             SELECT link.entry_id, link.position, CASE WHEN meant.state = 'done' OR meant.closed THEN 1 ELSE 0 END AS satisfies,
                    CASE WHEN meant.state = 'gone' THEN 2 ELSE 0 END
                    + CASE WHEN meant.tracker <> link.tracker THEN 1 ELSE 0 END AS distance
             FROM link JOIN entry ON entry.id = link.entry_id
             JOIN entry AS meant ON meant.key = link.key
                 AND (meant.tracker = link.tracker OR meant.backlog = entry.backlog)),
         nearest AS (SELECT entry_id, position, min(distance) AS distance FROM candidate GROUP BY 1, 2),
         satisfied AS (
             SELECT entry_id, position FROM candidate JOIN nearest USING (entry_id, position, distance)
             GROUP BY 1, 2 HAVING count(*) = 1 AND sum(satisfies) = 1)
         SELECT entry.id FROM entry JOIN link ON link.entry_id = entry.id AND link.kind = 'depends-on'
         LEFT JOIN satisfied ON satisfied.entry_id = link.entry_id AND satisfied.position = link.position
         WHERE entry.state IN ('new', 'held', 'ready') AND (satisfied.position IS NOT NULL) = EXISTS (
               SELECT 1 FROM hold WHERE entry_id = entry.id AND link_position = link.position)",
    ),
    (
        "no cap is exceeded",
        "SELECT cap.id FROM cap JOIN cap_period ON cap_id = cap.id WHERE settled + escrow > limit_amount",
    ),
    (
        "a cap's escrow is what runs have set aside",
        "SELECT cap_id FROM cap_period WHERE escrow <> (
             SELECT coalesce(sum(amount), 0) FROM escrow
             WHERE escrow.cap_id = cap_period.cap_id AND escrow.label = cap_period.label)",
    ),
    (
        "what a run has set aside is in the project's cap",
        "SELECT seq FROM run WHERE escrow <> (
             SELECT coalesce(sum(amount), 0) FROM escrow JOIN cap ON cap.id = cap_id
             WHERE run_seq = run.seq AND scope = 'project' AND period = 'day')
           AND EXISTS (SELECT 1 FROM cap WHERE scope = 'project')",
    ),
    (
        "a run that nobody drives has nothing set aside",
        "SELECT seq FROM run WHERE lease_until IS NULL AND escrow <> 0",
    ),
    (
        "what was settled is what steps cost, and attempts that have not ended",
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM cap WHERE scope = 'project')
           AND (SELECT coalesce(sum(cost), 0) FROM step)
             + (SELECT coalesce(sum(cost), 0) FROM run WHERE rebuilt) + (
             SELECT coalesce(sum(charged), 0) FROM attempt LEFT JOIN step USING (run_seq, stage, gate, rework, attempt)
             WHERE step.id IS NULL) <> (
             SELECT coalesce(sum(settled + overdraft), 0) FROM cap_period JOIN cap ON cap.id = cap_id
             WHERE scope = 'project')",
    ),
    (
        "a run that is over has one record, and no other run has one",
        "SELECT seq FROM run WHERE CASE WHEN state IN ('running', 'waiting') THEN 0 ELSE 1 END <> (
             SELECT count(*) FROM outbox WHERE run_seq = run.seq AND kind = 'record')",
    ),
    (
        "a run costs what was settled for it",
        "SELECT seq FROM run WHERE NOT rebuilt AND cost <> (SELECT coalesce(sum(cost), 0) FROM step WHERE run_seq = run.seq) + (
             SELECT coalesce(sum(charged), 0) FROM attempt LEFT JOIN step USING (run_seq, stage, gate, rework, attempt)
             WHERE attempt.run_seq = run.seq AND step.id IS NULL)",
    ),
    (
        "an answer is awaited only by whoever drives the run",
        "SELECT call FROM journal JOIN run ON run.seq = run_seq WHERE open AND run.lease_until IS NULL",
    ),
    (
        "only waiting runs ask",
        "SELECT run_seq FROM ask JOIN run ON run.seq = run_seq WHERE run.state <> 'waiting'",
    ),
    (
        "what was sent to a run is applied by whoever drives it",
        "SELECT inbox.id FROM inbox JOIN run ON run.seq = run_seq
         WHERE applied_at IS NULL AND inbox.kind <> 'cancel' AND (run.lease_until IS NOT NULL OR run.state <> 'running')",
    ),
    (
        "a run that was cancelled waits for nothing, unless somebody cleans up after it",
        "SELECT run.seq FROM run JOIN inbox ON inbox.run_seq = run.seq AND inbox.kind = 'cancel'
         WHERE run.state = 'waiting' AND inbox.applied_at IS NULL",
    ),
    (
        "only waiting runs have wakes",
        "SELECT run_seq FROM (SELECT run_seq FROM wake UNION SELECT run_seq FROM wake_delivery) AS waking
         JOIN run ON run.seq = run_seq WHERE run.state <> 'waiting'",
    ),
    (
        "deliveries to an entry are settled in order",
        "SELECT later.id FROM outbox AS later JOIN outbox AS earlier USING (entry_id)
         WHERE earlier.id < later.id AND later.state <> 'waiting' AND earlier.state <> 'settled'
           AND coalesce(later.became, '') NOT LIKE '%withheld%'",
    ),
    (
        "nobody waits for what was delivered",
        "SELECT wake_delivery.run_seq FROM wake_delivery JOIN outbox ON outbox.id = outbox_id WHERE outbox.state = 'settled'",
    ),
    (
        "nobody waits for what was said since",
        "SELECT wait.run_seq FROM wait JOIN wake_signal ON wake_signal.run_seq = wait.run_seq
         JOIN signal ON signal.name = wake_signal.name AND signal.id > wait.since
             AND (signal.run_seq IS NULL OR signal.run_seq = wait.run_seq)",
    ),
];

#[track_caller]
pub(crate) fn everything_agrees(store: &Path) {
    let connection = Connection::open(store).unwrap();
    let verdict: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
    for (sentence, contradictions) in CONTRADICTIONS {
        let contradictions = SHARED
            .iter()
            .fold((*contradictions).to_owned(), |text, (name, here, _)| text.replace(name, here));
        let mut statement = connection.prepare(&contradictions).unwrap();
        assert!(!statement.exists([]).unwrap(), "it is not so that {sentence}");
    }
    let mut foreign = connection.prepare("PRAGMA foreign_key_check").unwrap();
    assert!(!foreign.exists([]).unwrap(), "a row names another that is not there");
}

/// The same of a store in PostgreSQL, at one moment.
pub(crate) async fn everything_agrees_in(client: &mut Client) {
    let moment = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
    let moment = moment.start().await.unwrap();
    for (sentence, contradictions) in CONTRADICTIONS {
        let contradictions = SHARED
            .iter()
            .fold((*contradictions).to_owned(), |text, (name, _, there)| text.replace(name, there));
        let found =
            moment.simple_query(&contradictions).await.unwrap_or_else(|e| panic!("{sentence}: {e:?}"));
        let rows: Vec<_> =
            found.iter().filter(|message| matches!(message, SimpleQueryMessage::Row(_))).collect();
        assert!(rows.is_empty(), "it is not so that {sentence}: {rows:?}");
    }
    moment.commit().await.unwrap();
}
