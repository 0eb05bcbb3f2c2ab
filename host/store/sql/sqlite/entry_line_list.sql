-- First those that wait for their turn, in their order; then the others.
SELECT * FROM entry_line
WHERE (:backlog IS NULL OR backlog = :backlog) AND (:states IS NULL OR state IN (SELECT value FROM json_each(:states)))
ORDER BY state <> 'ready', CASE WHEN state = 'ready' THEN lane_id END, CASE WHEN state = 'ready' THEN rank_key END, id
LIMIT :limit OFFSET :offset;
