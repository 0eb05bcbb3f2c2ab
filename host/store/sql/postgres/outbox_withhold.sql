-- Effects of a run that nobody has begun to send.
UPDATE outbox SET state = 'settled', became = :became, settled_at = :now
WHERE run_seq = :run AND kind = 'effect' AND state = 'waiting' AND ambiguous = false
RETURNING id, reference;
