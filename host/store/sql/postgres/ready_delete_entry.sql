DELETE FROM ready WHERE entry_id = :entry AND run_seq IS NULL;
