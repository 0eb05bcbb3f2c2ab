INSERT INTO ledger (step_id, run_seq, plugin, settled_at, fuel, cost) VALUES (:step, :run, :plugin, :now, :fuel, :cost);
