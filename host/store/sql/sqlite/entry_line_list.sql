-- Those that do not wait for their turn.
SELECT * FROM entry_line
WHERE (:backlog IS NULL OR backlog = :backlog) AND (:states IS NULL OR state IN (SELECT value FROM json_each(:states))) AND state <> 'ready'
ORDER BY id
LIMIT :limit OFFSET :offset;
