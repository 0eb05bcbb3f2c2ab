INSERT INTO tranche (pins, scope, amount) VALUES (:pins, :scope, :amount)
ON CONFLICT (pins, scope) DO UPDATE SET amount = excluded.amount;
