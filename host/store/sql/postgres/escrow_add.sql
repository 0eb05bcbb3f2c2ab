INSERT INTO escrow (run_seq, cap_id, label, amount) VALUES (:run, :cap, :label, :amount)
ON CONFLICT (run_seq, cap_id, label) DO UPDATE SET amount = escrow.amount + excluded.amount;
