-- As `run_claim`, among the named entries and what their runs opened.
WITH RECURSIVE named (entry_id) AS (
    SELECT CAST(value AS bigint) FROM jsonb_array_elements_text(CAST(:only AS jsonb)) AS list (value)
    UNION
    SELECT opened.entry_id FROM named JOIN opened ON opened.parent_id = named.entry_id),
stands (rank_key, entry_id) AS (
    SELECT place.rank_key, place.entry_id FROM named JOIN place ON place.entry_id = named.entry_id WHERE place.lane_id = :lane
    UNION
    SELECT place.former_key, place.entry_id FROM named JOIN place ON place.entry_id = named.entry_id WHERE place.lane_id = :lane
    UNION
    SELECT begun.rank_key, begun.entry_id FROM named JOIN ready AS begun ON begun.entry_id = named.entry_id
    WHERE begun.lane_id = :lane AND begun.run_seq IS NOT NULL)
SELECT ready.rank_key, ready.entry_id, ready.run_seq,
       (SELECT max(child.run_seq) FROM child WHERE child.entry_id = ready.entry_id) AS payer
FROM stands JOIN ready ON ready.lane_id = :lane AND ready.rank_key = stands.rank_key AND ready.entry_id = stands.entry_id
ORDER BY ready.rank_key, ready.entry_id
LIMIT 1
FOR UPDATE OF ready SKIP LOCKED;
