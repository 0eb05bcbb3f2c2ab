DELETE FROM hold WHERE entry_id = :entry AND kind NOT IN ('person', 'intake', 'own-output', 'duplicate', 'budget', 'cancelled');
