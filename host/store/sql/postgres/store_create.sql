INSERT INTO store (one, id, made_at, seen_at) VALUES (1, :id, :now, :now);
