DELETE FROM place WHERE entry_id = :entry;
