SELECT count(*) AS total FROM entry
WHERE (CAST(:backlog AS text) IS NULL OR backlog = :backlog) AND (CAST(:states AS text) IS NULL OR state IN (SELECT jsonb_array_elements_text(CAST(:states AS jsonb))));
