SELECT id, seen_at, vtime FROM store;
