SELECT reference, body, became FROM outbox WHERE run_seq = :run AND kind = 'effect' ORDER BY id;
