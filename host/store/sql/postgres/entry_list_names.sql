SELECT id, tracker, key, url FROM entry
WHERE id > coalesce(CAST(:after AS bigint), -1)
ORDER BY id
LIMIT :limit;
