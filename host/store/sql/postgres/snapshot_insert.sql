INSERT INTO snapshot (revision, body) VALUES (:revision, :body) ON CONFLICT DO NOTHING;
