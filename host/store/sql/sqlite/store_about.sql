SELECT store.id, store.made_at, store.moved_to, store.moved_at,
       (SELECT max(version) FROM schema_migration) AS version,
       (SELECT name FROM schema_migration ORDER BY version DESC LIMIT 1) AS name,
       (SELECT max(needs) FROM schema_migration) AS needs,
       (SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()) AS size_bytes,
       (SELECT coalesce(sum(entries), 0) FROM coverage) AS entries,
       (SELECT count(*) FROM run) AS runs,
       (SELECT count(*) FROM run WHERE state IN ('running', 'waiting')) AS live_runs,
       (SELECT count(*) FROM event) + (SELECT coalesce(sum(events), 0) FROM event_pack) AS events,
       (SELECT count(*) FROM outbox WHERE state <> 'settled') AS undelivered,
       (SELECT min(next_at) FROM outbox WHERE state <> 'settled') AS undelivered_since
FROM store;
