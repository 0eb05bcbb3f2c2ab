-- What a delivery carries out that is still sent by whoever took it; its reference is null for a record.
SELECT run_seq, entry_id, kind, reference FROM outbox WHERE id = :id AND fence = :fence AND state = 'sending';
