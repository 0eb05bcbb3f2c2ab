INSERT INTO source_item (entry_id, body) VALUES (:entry, :body) ON CONFLICT (entry_id) DO UPDATE SET body = excluded.body;
