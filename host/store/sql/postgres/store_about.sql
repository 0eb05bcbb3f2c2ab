SELECT store.id, store.made_at, store.moved_to, store.moved_at,
       (SELECT max(version) FROM schema_migration) AS version,
       (SELECT name FROM schema_migration ORDER BY version DESC LIMIT 1) AS name,
       (SELECT max(needs) FROM schema_migration) AS needs,
       (SELECT CAST(coalesce(sum(pg_total_relation_size(pg_class.oid)), 0) AS bigint)
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = pg_class.relnamespace
        WHERE pg_namespace.nspname = current_schema() AND pg_class.relkind = 'r') AS size_bytes,
       (SELECT CAST(coalesce(sum(entries), 0) AS bigint) FROM coverage) AS entries,
       (SELECT count(*) FROM run) AS runs,
       (SELECT count(*) FROM run WHERE state IN ('running', 'waiting')) AS live_runs,
       (SELECT count(*) FROM event) + (SELECT CAST(coalesce(sum(events), 0) AS bigint) FROM event_pack) AS events,
       (SELECT count(*) FROM outbox WHERE state <> 'settled') AS undelivered,
       (SELECT min(next_at) FROM outbox WHERE state <> 'settled') AS undelivered_since
FROM store;
