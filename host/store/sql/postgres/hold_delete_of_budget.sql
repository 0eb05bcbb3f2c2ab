DELETE FROM hold WHERE entry_id = :entry AND kind = 'budget';
