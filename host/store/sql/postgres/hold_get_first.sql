SELECT kind FROM hold WHERE entry_id = :entry ORDER BY position LIMIT 1;
