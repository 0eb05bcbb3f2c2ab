-- The first slot that no other connection holds; this one holds it until it is closed.
WITH free AS MATERIALIZED (
    SELECT slot FROM generate_series(1, 1000) AS slot
    WHERE pg_try_advisory_lock(hashtext('tollgate slot ' || current_schema()), slot)
    LIMIT 1)
SELECT set_config('tollgate.slot', CAST(slot AS text), false) AS slot FROM free;
