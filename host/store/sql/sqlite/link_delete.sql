DELETE FROM link WHERE entry_id = :entry;
