-- What other transactions have in hand is passed over, and told so.
WITH held AS (
    SELECT seq, id, fence FROM run WHERE lease_until > :now AND host = :host),
free AS MATERIALIZED (
    SELECT seq FROM run WHERE lease_until > :now AND host = :host FOR NO KEY UPDATE SKIP LOCKED),
renewed AS (
    UPDATE run SET lease_until = greatest(lease_until, :lease_until) FROM free WHERE run.seq = free.seq
    RETURNING run.seq)
SELECT held.id, held.fence, renewed.seq IS NOT NULL AS renewed
FROM held LEFT JOIN renewed ON renewed.seq = held.seq;
