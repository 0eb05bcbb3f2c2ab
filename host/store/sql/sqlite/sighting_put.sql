INSERT INTO sighting (entry_id, reconcile) VALUES (:entry, :reconcile)
ON CONFLICT DO UPDATE SET reconcile = excluded.reconcile WHERE reconcile < excluded.reconcile;
