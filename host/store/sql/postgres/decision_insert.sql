INSERT INTO decision (entry_id, kind, who, why, body, decided_at) VALUES (:entry, :kind, :who, :why, :body, :now);
