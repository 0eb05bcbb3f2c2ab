-- Of the delivery that was inserted last.
INSERT INTO outbox_body (outbox_id, body) VALUES (currval(pg_get_serial_sequence('outbox', 'id')), :body);
