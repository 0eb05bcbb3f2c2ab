-- As `ready_exists`, among the named entries and what their runs opened.
WITH RECURSIVE named (entry_id) AS (
    SELECT CAST(value AS bigint) FROM jsonb_array_elements_text(CAST(:only AS jsonb)) AS list (value)
    UNION
    SELECT opened.entry_id FROM named JOIN opened ON opened.parent_id = named.entry_id)
SELECT 1 FROM ready WHERE lane_id = :lane AND entry_id IN (SELECT entry_id FROM named) LIMIT 1;
