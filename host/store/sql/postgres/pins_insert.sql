INSERT INTO pins (digest, body) VALUES (:digest, :body) ON CONFLICT DO NOTHING;
