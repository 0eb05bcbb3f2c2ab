SELECT id, state FROM outbox WHERE run_seq = :run AND reference = :reference;
