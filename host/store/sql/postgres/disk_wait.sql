-- Waits until all that was committed before is on the disk: it commits something itself, a few bytes that mean nothing.
SELECT pg_logical_emit_message(true, 'tollgate', '');
