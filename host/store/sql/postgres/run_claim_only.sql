-- As `run_claim`, among the named entries and what their runs opened.
WITH RECURSIVE named (entry_id) AS (
    SELECT CAST(value AS bigint) FROM jsonb_array_elements_text(CAST(:only AS jsonb)) AS list (value)
    UNION
    SELECT opened.entry_id FROM named JOIN opened ON opened.parent_id = named.entry_id)
SELECT rank_key, entry_id, run_seq, (SELECT max(child.run_seq) FROM child WHERE child.entry_id = ready.entry_id) AS payer
FROM ready
WHERE lane_id = :lane AND entry_id IN (SELECT entry_id FROM named)
ORDER BY rank_key, entry_id
LIMIT 1
FOR UPDATE OF ready SKIP LOCKED;
