UPDATE place SET due_at = :due_at WHERE entry_id = :entry;
