SELECT * FROM entry_line WHERE key = :key AND (:tracker IS NULL OR tracker = :tracker) ORDER BY tracker;
