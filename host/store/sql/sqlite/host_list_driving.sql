-- Hosts whose lease on a run or a delivery has not lapsed.
SELECT host FROM run WHERE lease_until > :now
UNION
SELECT host FROM outbox WHERE lease_until > :now
ORDER BY host;
