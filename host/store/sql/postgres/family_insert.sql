INSERT INTO family (run_seq, limit_amount, settled, escrow) VALUES (:run, :limit, 0, 0);
