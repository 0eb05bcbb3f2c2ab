-- From what is kept count of, however many entries there are.
SELECT coalesce(sum(entries), 0) AS total, coalesce(sum(entries) FILTER (WHERE state = 'ready'), 0) AS ready FROM coverage
WHERE (:backlog IS NULL OR backlog = :backlog) AND (:states IS NULL OR state IN (SELECT value FROM json_each(:states)));
