INSERT INTO escrow (run_seq, cap_id, label, amount) VALUES (:run, :cap, :label, :amount)
ON CONFLICT DO UPDATE SET amount = amount + excluded.amount;
