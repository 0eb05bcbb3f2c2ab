INSERT INTO outbox_body (outbox_id, body) VALUES (:id, :body);
