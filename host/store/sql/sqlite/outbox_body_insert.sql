-- Of the delivery that was inserted last.
INSERT INTO outbox_body (outbox_id, body) VALUES (last_insert_rowid(), :body);
