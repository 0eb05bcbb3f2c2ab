UPDATE outbox SET state = 'waiting', lease_until = NULL
WHERE id = :id AND fence = :fence AND state = 'sending';
