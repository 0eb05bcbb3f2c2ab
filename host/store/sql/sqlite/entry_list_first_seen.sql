SELECT key, first_seen_at FROM entry WHERE tracker = :tracker AND key IN (SELECT value FROM json_each(:keys));
