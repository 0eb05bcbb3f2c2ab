INSERT INTO cap_period (cap_id, label, settled, escrow, overdraft) VALUES (:cap, :label, :settled, :escrow, :overdraft)
ON CONFLICT (cap_id, label) DO UPDATE SET settled = excluded.settled, escrow = excluded.escrow, overdraft = excluded.overdraft;
