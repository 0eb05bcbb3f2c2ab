INSERT INTO outbox (adoption, entry_id, kind, state, fence, next_at, failures, ambiguous, became, settled_at)
VALUES (:adoption, :entry, 'adopted', 'settled', 0, :now, 0, false, :became, :now);
