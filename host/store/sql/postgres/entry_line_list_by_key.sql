SELECT * FROM entry_line WHERE key = :key AND (CAST(:tracker AS text) IS NULL OR tracker = :tracker) ORDER BY tracker;
