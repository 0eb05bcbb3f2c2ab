SELECT entry_id, run_seq, amount FROM unfunded WHERE payer = :payer ORDER BY run_seq IS NULL, entry_id;
