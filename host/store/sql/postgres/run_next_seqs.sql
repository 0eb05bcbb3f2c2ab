-- The rows of the next runs, which are kept for who asks.
SELECT nextval(pg_get_serial_sequence('run', 'seq')) AS seq FROM generate_series(1, :count);
