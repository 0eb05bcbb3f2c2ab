-- From what is kept count of, however many entries there are.
SELECT CAST(coalesce(sum(entries), 0) AS bigint) AS total,
       CAST(coalesce(sum(entries) FILTER (WHERE state = 'ready'), 0) AS bigint) AS ready
FROM coverage
WHERE (CAST(:backlog AS text) IS NULL OR backlog = :backlog) AND (CAST(:states AS text) IS NULL OR state IN (SELECT jsonb_array_elements_text(CAST(:states AS jsonb))));
