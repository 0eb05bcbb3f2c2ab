INSERT INTO outbox (adoption, entry_id, kind, state, fence, next_at, failures, ambiguous)
VALUES (:adoption, :entry, 'adopted', 'waiting', 0, :now, 0, false);
