-- As `ready_exists`, among the named entries and what their runs opened.
-- Each is looked for by itself, as in `run_claim_only`.
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
SELECT 1
FROM stands CROSS JOIN LATERAL (
    SELECT FROM ready
    WHERE ready.lane_id = :lane AND ready.rank_key = stands.rank_key AND ready.entry_id = stands.entry_id
    OFFSET 0) AS head
LIMIT 1;
