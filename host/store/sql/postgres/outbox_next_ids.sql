-- The numbers of the next deliveries, which are kept for who asks.
SELECT nextval(pg_get_serial_sequence('outbox', 'id')) AS id FROM generate_series(1, :count);
