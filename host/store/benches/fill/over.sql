-- :count entries that were claimed and are over: those that come first. Their rows in the ready index are dead, where every claim begins to
-- look, and so are two versions of each entry.
BEGIN;
SET LOCAL session_replication_role = replica;

CREATE TEMPORARY TABLE claimed ON COMMIT DROP AS
SELECT lane_id, rank_key, entry_id
FROM ready
WHERE run_seq IS NULL
ORDER BY lane_id, rank_key, entry_id
LIMIT :count;

DELETE FROM ready USING claimed WHERE ready.entry_id = claimed.entry_id;
UPDATE entry SET state = 'busy', rounds = 1, worked = basis FROM claimed WHERE id = entry_id;
UPDATE entry SET state = 'done' FROM claimed WHERE id = entry_id;

INSERT INTO lane_share (lane_id, slot, vtime, waiting)
SELECT lane_id, slot(), 0, -count(*) FROM claimed GROUP BY lane_id
ON CONFLICT (lane_id, slot) DO UPDATE SET waiting = lane_share.waiting + excluded.waiting;
COMMIT;
