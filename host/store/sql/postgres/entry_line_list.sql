-- First those that wait for their turn, in their order; then the others.
SELECT * FROM entry_line
WHERE (CAST(:backlog AS text) IS NULL OR backlog = :backlog) AND (CAST(:states AS text) IS NULL OR state IN (SELECT jsonb_array_elements_text(CAST(:states AS jsonb))))
ORDER BY state <> 'ready', CASE WHEN state = 'ready' THEN lane_id END, CASE WHEN state = 'ready' THEN rank_key END, id
LIMIT nullif(CAST(:limit AS bigint), -1) OFFSET :offset;
