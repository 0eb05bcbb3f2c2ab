SELECT id, made_at, seen_at, vtime, moved_to, moved_at, (SELECT max(needs) FROM schema_migration) AS needs FROM store;
