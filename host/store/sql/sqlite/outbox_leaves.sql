-- Whether a change that a run makes to its entry's state leads to this revision.
SELECT 1 FROM outbox WHERE run_seq = :run AND leaves = :revision LIMIT 1;
