INSERT INTO host (id, seen_at, version, schema) VALUES (:id, :now, :version, :schema)
ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, version = excluded.version, schema = excluded.schema;
