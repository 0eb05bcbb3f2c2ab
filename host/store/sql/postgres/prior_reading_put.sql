INSERT INTO prior_reading (tracker, read_at) VALUES (:tracker, :now)
ON CONFLICT (tracker) DO UPDATE SET read_at = excluded.read_at;
