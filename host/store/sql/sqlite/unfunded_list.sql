SELECT entry_id, run_seq, amount FROM unfunded INDEXED BY unfunded_by_payer WHERE payer = :payer ORDER BY run_seq IS NULL, entry_id;
