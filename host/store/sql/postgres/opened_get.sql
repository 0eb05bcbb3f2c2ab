SELECT depth, origin_id, parent_id FROM opened WHERE entry_id = :entry;
