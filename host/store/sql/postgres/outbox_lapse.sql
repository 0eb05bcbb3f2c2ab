UPDATE outbox SET state = 'waiting', lease_until = NULL, fence = fence + 1, ambiguous = true, next_at = :now
WHERE lease_until <= :now
RETURNING id, host;
