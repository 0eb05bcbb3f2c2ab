-- Those that do not wait for their turn.
SELECT * FROM entry_line
WHERE (CAST(:backlog AS text) IS NULL OR backlog = :backlog) AND (CAST(:states AS text) IS NULL OR state IN (SELECT jsonb_array_elements_text(CAST(:states AS jsonb)))) AND state <> 'ready'
ORDER BY id
LIMIT nullif(CAST(:limit AS bigint), -1) OFFSET :offset;
