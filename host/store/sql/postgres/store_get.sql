SELECT id, made_at, seen_at, (SELECT coalesce(max(vtime), 0) FROM turn) AS vtime, moved_to, moved_at,
       (SELECT max(needs) FROM schema_migration) AS needs
FROM store;
