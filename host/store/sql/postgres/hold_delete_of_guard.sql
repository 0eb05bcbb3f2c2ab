DELETE FROM hold WHERE entry_id = :entry AND kind IN ('intake', 'own-output', 'duplicate', 'budget', 'cancelled');
