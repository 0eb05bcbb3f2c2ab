SELECT id, tracker, key, url FROM entry
WHERE id > coalesce(:after, -1)
ORDER BY id
LIMIT :limit;
