-- The row of the next run, which is kept for who asks.
SELECT nextval(pg_get_serial_sequence('run', 'seq')) AS seq;
