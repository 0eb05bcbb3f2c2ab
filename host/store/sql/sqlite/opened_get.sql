SELECT depth, origin_id FROM opened WHERE entry_id = :entry;
