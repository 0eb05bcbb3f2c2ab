-- As `run_claim`, among the named entries and what their runs opened.
WITH RECURSIVE named (entry_id) AS (
    SELECT value FROM json_each(:only)
    UNION
    SELECT opened.entry_id FROM named JOIN opened ON opened.parent_id = named.entry_id)
SELECT rank_key, entry_id, run_seq,
       (SELECT max(child.run_seq) FROM child INDEXED BY child_by_entry WHERE child.entry_id = ready.entry_id) AS payer
FROM ready INDEXED BY ready_by_entry
WHERE lane_id = :lane AND entry_id IN (SELECT entry_id FROM named)
ORDER BY rank_key, entry_id
LIMIT 1;
