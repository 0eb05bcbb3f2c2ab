INSERT INTO prior (tracker, key, at, kind, place, body) VALUES (:tracker, :key, :at, :kind, :place, :body);
