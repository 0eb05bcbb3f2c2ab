INSERT INTO tranche (pins, scope, amount) VALUES (:pins, :scope, :amount)
ON CONFLICT DO UPDATE SET amount = excluded.amount;
