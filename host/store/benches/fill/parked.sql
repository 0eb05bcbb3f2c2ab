-- :count entries that wait for something else than their turn, of those that would come first: half of them are held until another day,
-- of half a run that was begun waits for such a day, as the one with the number :model was begun. Their events are left out.
--
-- What triggers would count row by row, and check of each reference, is counted at once and known to be so.
BEGIN;
SET LOCAL session_replication_role = replica;

CREATE TEMPORARY TABLE parked ON COMMIT DROP AS
SELECT row_number() OVER (ORDER BY lane_id, rank_key, entry_id) AS number, lane_id, rank_key, entry_id
FROM ready
WHERE run_seq IS NULL
ORDER BY lane_id, rank_key, entry_id
LIMIT :count;

DELETE FROM ready USING parked WHERE ready.entry_id = parked.entry_id;

UPDATE entry SET state = 'held', held_for = 'not-before' FROM parked WHERE id = entry_id AND number % 2 = 0;

INSERT INTO hold (entry_id, position, kind, subject, reason, until_at, since_at)
SELECT parked.entry_id, 0, 'not-before', '', 'its time has not come', run.started_at + 1000 * 60 * 60 * 24 + number, run.started_at
FROM parked
JOIN run ON run.seq = :model
WHERE number % 2 = 0;

UPDATE entry SET state = 'busy', worked = basis FROM parked WHERE id = entry_id AND number % 2 = 1;

CREATE TEMPORARY TABLE waiting ON COMMIT DROP AS
SELECT nextval(pg_get_serial_sequence('run', 'seq')) AS seq, number, parked.entry_id, parked.rank_key, entry.revision
FROM parked
JOIN entry ON entry.id = parked.entry_id
WHERE number % 2 = 1;

INSERT INTO run (seq, id, entry_id, lane_id, backlog, pipeline, kind, round, title, revision, pins, rank_key, order_facts, state,
                 fence, host, crashes, started_at, cost, escrow, chain_events, chain_hash)
OVERRIDING SYSTEM VALUE
SELECT waiting.seq, lpad(CAST(number AS text), 26, '0'), waiting.entry_id, lane_id, backlog, pipeline, kind, round, title,
       waiting.revision, pins, waiting.rank_key, order_facts, 'waiting', fence, host, 0, started_at, 0, 0, chain_events, chain_hash
FROM waiting
JOIN run ON run.seq = :model;

INSERT INTO wake (run_seq, at)
SELECT waiting.seq, run.started_at + 1000 * 60 * 60 * 24 + number FROM waiting JOIN run ON run.seq = :model;

INSERT INTO lane_share (lane_id, slot, vtime, waiting)
SELECT lane_id, slot(), 0, -count(*) FROM parked GROUP BY lane_id
ON CONFLICT (lane_id, slot) DO UPDATE SET waiting = lane_share.waiting + excluded.waiting;
COMMIT;
