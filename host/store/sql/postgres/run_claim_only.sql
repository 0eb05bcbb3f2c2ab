-- As `run_claim`, among the named entries and what their runs opened.
-- What is named are few, which the server takes for tens of thousands: so each is looked for by itself (`LATERAL … OFFSET 0`), or all
-- the tables would be read.
-- Only the first that nobody else has in hand is locked: it is looked for in their order.
WITH RECURSIVE named (entry_id) AS (
    SELECT CAST(value AS bigint) FROM jsonb_array_elements_text(CAST(:only AS jsonb)) AS list (value)
    UNION
    SELECT below.entry_id
    FROM named CROSS JOIN LATERAL (SELECT entry_id FROM opened WHERE opened.parent_id = named.entry_id OFFSET 0) AS below),
stands (rank_key, entry_id) AS (
    SELECT own.rank_key, named.entry_id
    FROM named CROSS JOIN LATERAL (
        SELECT rank_key FROM place WHERE place.entry_id = named.entry_id AND place.lane_id = :lane
        UNION ALL
        SELECT former_key FROM place WHERE place.entry_id = named.entry_id AND place.lane_id = :lane
        UNION ALL
        SELECT rank_key FROM ready WHERE ready.entry_id = named.entry_id AND ready.lane_id = :lane AND ready.run_seq IS NOT NULL
        OFFSET 0) AS own)
SELECT head.rank_key, head.entry_id, head.run_seq,
       (SELECT max(child.run_seq) FROM child WHERE child.entry_id = head.entry_id) AS payer
FROM (SELECT DISTINCT rank_key, entry_id FROM stands ORDER BY rank_key, entry_id) AS stands
CROSS JOIN LATERAL (
    SELECT ready.rank_key, ready.entry_id, ready.run_seq
    FROM ready
    WHERE ready.lane_id = :lane AND ready.rank_key = stands.rank_key AND ready.entry_id = stands.entry_id
    FOR UPDATE OF ready SKIP LOCKED) AS head
ORDER BY stands.rank_key, stands.entry_id
LIMIT 1;
