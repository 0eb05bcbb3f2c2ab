INSERT INTO supplement (entry_id, version, body) VALUES (:entry, 1, :body)
ON CONFLICT (entry_id) DO UPDATE SET version = supplement.version + 1, body = excluded.body;
