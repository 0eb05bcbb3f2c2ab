SELECT id, scope, period, zone, limit_amount FROM cap WHERE active = true ORDER BY scope, period;
