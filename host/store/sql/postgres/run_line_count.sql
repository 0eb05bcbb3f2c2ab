SELECT count(*) AS total FROM run_line
WHERE (CAST(:key AS text) IS NULL OR key = :key) AND (CAST(:states AS text) IS NULL OR state IN (SELECT jsonb_array_elements_text(CAST(:states AS jsonb))));
