INSERT INTO supplement (entry_id, version, body) VALUES (:entry, 1, :body)
ON CONFLICT DO UPDATE SET version = version + 1, body = excluded.body;
