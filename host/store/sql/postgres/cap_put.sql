INSERT INTO cap (scope, period, zone, limit_amount, active) VALUES (:scope, :period, :zone, :limit, true)
ON CONFLICT (scope, period) DO UPDATE SET zone = excluded.zone, limit_amount = excluded.limit_amount, active = true;
