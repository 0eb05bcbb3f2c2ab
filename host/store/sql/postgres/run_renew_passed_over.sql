WITH held AS MATERIALIZED (
    SELECT seq FROM run
    WHERE lease_until > :now AND lease_until < :lease_until AND host = :host
    ORDER BY seq
    FOR NO KEY UPDATE)
UPDATE run SET lease_until = :lease_until FROM held WHERE run.seq = held.seq
RETURNING id, fence, true AS renewed;
