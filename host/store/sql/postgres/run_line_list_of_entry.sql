SELECT * FROM run_line WHERE entry_id = :entry ORDER BY seq DESC;
