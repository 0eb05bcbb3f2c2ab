-- Whether something keeps an entry out that nobody let in: what is spent on it is spent for nothing.
SELECT 1 FROM hold WHERE entry_id = :entry AND kind IN ('person', 'intake', 'own-output', 'duplicate', 'budget', 'cancelled') LIMIT 1;
