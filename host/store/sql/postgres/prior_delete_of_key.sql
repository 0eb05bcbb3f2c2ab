DELETE FROM prior WHERE tracker = :tracker AND key = :key;
