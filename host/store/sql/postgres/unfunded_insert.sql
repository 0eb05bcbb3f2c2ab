INSERT INTO unfunded (entry_id, payer, run_seq, amount) VALUES (:entry, :payer, :run, :amount) ON CONFLICT (entry_id) DO UPDATE
SET payer = excluded.payer, run_seq = excluded.run_seq, amount = excluded.amount;
