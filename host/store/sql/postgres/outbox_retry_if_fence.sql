UPDATE outbox
SET state = 'waiting', lease_until = NULL, next_at = :at, reason = :reason, failures = failures + 1, ambiguous = :ambiguous
WHERE id = :id AND fence = :fence AND state = 'sending'
RETURNING id;
