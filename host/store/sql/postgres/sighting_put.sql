INSERT INTO sighting (entry_id, reconcile) VALUES (:entry, :reconcile)
ON CONFLICT (entry_id) DO UPDATE SET reconcile = excluded.reconcile WHERE sighting.reconcile < excluded.reconcile;
