INSERT INTO outbox (run_seq, entry_id, kind, reference, path, artifact, leaves, state, fence, next_at, failures, ambiguous, became,
                    settled_at)
VALUES (:run, :entry, :kind, :reference, :path, :artifact, :leaves, 'settled', 0, :now, 0, false, :became, :now);
