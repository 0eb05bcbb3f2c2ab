-- Whether a change that a run makes to its entry's state leads to what an entry says, without what refining adds.
SELECT 1 FROM outbox WHERE run_seq = :run AND leaves = :basis LIMIT 1;
