SELECT kind, place, body FROM prior WHERE tracker = :tracker AND key = :key ORDER BY at, id;
