DELETE FROM prior WHERE tracker = :tracker;
