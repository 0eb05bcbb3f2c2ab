INSERT INTO decision (entry_id, kind, who, why, decided_at) VALUES (:entry, :kind, :who, :why, :now);
