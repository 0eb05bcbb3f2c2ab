SELECT count(*) AS total FROM entry
WHERE (:backlog IS NULL OR backlog = :backlog) AND (:states IS NULL OR state IN (SELECT value FROM json_each(:states)));
