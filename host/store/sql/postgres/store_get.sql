SELECT id, seen_at, (SELECT coalesce(max(vtime), 0) FROM turn) AS vtime FROM store;
