SELECT version, body FROM supplement WHERE entry_id = :entry;
