-- Numbers do not come again while who had one may still be there: they go with the time.
INSERT INTO rescoring (id, lease_until) SELECT max(:now, coalesce(max(id), 0) + 1), :lease_until FROM rescoring RETURNING id;
