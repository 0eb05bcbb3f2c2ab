DELETE FROM hold WHERE entry_id = :entry AND link_position IS NOT NULL;
