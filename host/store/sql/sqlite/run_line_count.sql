SELECT count(*) AS total FROM run_line
WHERE (:key IS NULL OR key = :key) AND (:states IS NULL OR state IN (SELECT value FROM json_each(:states)));
