UPDATE outbox SET state = 'settled', lease_until = NULL, became = :became, settled_at = :now
WHERE id = :id AND fence = :fence AND state = 'sending';
