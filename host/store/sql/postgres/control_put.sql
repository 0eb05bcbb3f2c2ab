INSERT INTO control (one, mode, who, why, since_at) VALUES (1, :mode, :who, :why, :now)
ON CONFLICT (one) DO UPDATE SET mode = excluded.mode, who = excluded.who, why = excluded.why, since_at = excluded.since_at;
