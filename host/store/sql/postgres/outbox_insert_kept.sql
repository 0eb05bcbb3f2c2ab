-- A record that stays in the store.
INSERT INTO outbox
    (run_seq, entry_id, kind, state, fence, next_at, failures, ambiguous, became, settled_at)
VALUES (:run, :entry, 'record', 'settled', 0, :now, 0, false, :became, :now);
