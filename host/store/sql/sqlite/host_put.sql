INSERT INTO host (id, seen_at) VALUES (:id, :now) ON CONFLICT DO UPDATE SET seen_at = excluded.seen_at;
