SELECT 1 FROM prior_reading WHERE tracker = :tracker;
