-- The effect that a delivery carries out; its reference is null for a record.
SELECT run_seq, entry_id, kind, reference FROM outbox WHERE id = :id;
