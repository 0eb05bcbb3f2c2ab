UPDATE outbox SET state = 'sending', fence = fence + 1, host = :host, lease_until = :lease_until
WHERE id = :id AND state = 'waiting';
