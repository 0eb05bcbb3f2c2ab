SELECT id, seen_at, version, labels FROM host ORDER BY seen_at DESC, id LIMIT 100;
