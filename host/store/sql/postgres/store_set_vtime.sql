INSERT INTO turn (slot, vtime) VALUES (slot(), :vtime)
ON CONFLICT (slot) DO UPDATE SET vtime = greatest(turn.vtime, excluded.vtime);
