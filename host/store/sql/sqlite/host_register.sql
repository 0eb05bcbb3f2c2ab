INSERT INTO host (id, seen_at, version, schema, labels) VALUES (:id, :now, :version, :schema, :labels)
ON CONFLICT DO UPDATE SET seen_at = excluded.seen_at, version = excluded.version, schema = excluded.schema, labels = excluded.labels;
