-- :count entries that wait, each as the store would have written it, made after the one with the key :model. Their numbers go on from
-- :first. They come in another order than that in which they are claimed. As in the store there is one transaction
-- for all of them, and whoever listens is told.
--
-- What triggers would count row by row, and check of each reference, is counted at once and known to be so.
BEGIN;
SET LOCAL session_replication_role = replica;

CREATE TEMPORARY TABLE made ON COMMIT DROP AS
SELECT nextval(pg_get_serial_sequence('entry', 'id')) AS id, model.id AS model, model.key || '-' || number AS key,
       model.created_at + 1 + number * 2654435761 % 1000000007 AS created_at,
       replace(snapshot.body, '"' || model.key || '"', '"' || model.key || '-' || number || '"') AS body
FROM entry AS model
JOIN snapshot USING (revision)
CROSS JOIN generate_series(CAST(:first AS bigint), :first + :count - 1) AS number
WHERE model.key = :model;

INSERT INTO snapshot (revision, body) SELECT sha256(convert_to(body, 'UTF8')), body FROM made;

INSERT INTO entry (id, tracker, key, backlog, state, held_for, closed, revision, basis, depends, arrival, title, url, created_at,
                   first_seen_at)
OVERRIDING SYSTEM VALUE
SELECT made.id, tracker, made.key, backlog, 'ready', NULL, closed, sha256(convert_to(body, 'UTF8')),
       sha256(convert_to(body, 'UTF8')), depends, arrival, title, url, made.created_at, first_seen_at
FROM made
JOIN entry AS model ON model.id = made.model;

INSERT INTO coverage (backlog, state, held_for, adopted, slot, entries)
SELECT backlog, 'ready', '', false, slot(), :count FROM entry AS model WHERE model.key = :model
ON CONFLICT (backlog, state, held_for, adopted, slot) DO UPDATE SET entries = coverage.entries + excluded.entries;

INSERT INTO source_item (entry_id, body)
SELECT made.id, replace(item.body, '"' || model.key || '"', '"' || made.key || '"')
FROM made
JOIN entry AS model ON model.id = made.model
JOIN source_item AS item ON item.entry_id = model.id;

INSERT INTO sighting (entry_id, reconcile)
SELECT made.id, reconcile FROM made JOIN sighting ON sighting.entry_id = made.model;

INSERT INTO opened (entry_id, backlog, fingerprint, parent_id, run_seq, origin_id, depth)
SELECT made.id, backlog, fingerprint || made.key, parent_id, run_seq, origin_id, depth
FROM made
JOIN opened ON opened.entry_id = made.model;

-- A rank key ends with the time of creation, its sign turned.
INSERT INTO place (entry_id, lane_id, rank_key, score_thousandths, terms, due_at)
SELECT made.id, lane_id,
       substr(rank_key, 1, length(rank_key) - 8) || set_byte(int8send(made.created_at), 0, 128), score_thousandths, terms, due_at
FROM made
JOIN place ON place.entry_id = made.model;

INSERT INTO ready (lane_id, rank_key, entry_id)
SELECT lane_id, rank_key, id FROM made JOIN place ON place.entry_id = made.id ORDER BY lane_id, rank_key, id;

INSERT INTO lane_share (lane_id, slot, vtime, waiting)
SELECT lane_id, slot(), 0, count(*) FROM made JOIN place ON place.entry_id = made.id GROUP BY lane_id
ON CONFLICT (lane_id, slot) DO UPDATE SET waiting = lane_share.waiting + excluded.waiting;

SELECT pg_notify('tollgate ' || current_schema(), '');
COMMIT;
