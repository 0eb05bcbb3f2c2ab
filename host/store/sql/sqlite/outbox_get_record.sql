SELECT body, became FROM outbox WHERE run_seq = :run AND kind = 'record';
