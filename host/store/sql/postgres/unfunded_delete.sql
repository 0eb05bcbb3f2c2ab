DELETE FROM unfunded WHERE entry_id = :entry;
