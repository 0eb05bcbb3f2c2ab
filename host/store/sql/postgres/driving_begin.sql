-- Keeps out who has to be alone until this transaction is over; the time then.
WITH held AS MATERIALIZED (
    SELECT pg_advisory_xact_lock_shared(hashtextextended('tollgate store ' || current_schema(), 0)))
SELECT CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS bigint) AS now FROM held;
