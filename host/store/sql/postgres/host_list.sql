SELECT id, seen_at, version FROM host ORDER BY seen_at DESC, id LIMIT 100;
