-- Hosts that were heard of since `:since` and know less of the schema.
SELECT id, seen_at FROM host WHERE seen_at >= :since AND coalesce(schema, 0) < :needs ORDER BY id;
