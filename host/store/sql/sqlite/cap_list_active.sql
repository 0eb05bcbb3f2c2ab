SELECT id, scope, period, zone, limit_amount FROM cap WHERE active = 1 ORDER BY scope, period;
