INSERT INTO outbox (run_seq, entry_id, kind, reference, path, artifact, state, fence, next_at, failures, ambiguous)
VALUES (:run, :entry, :kind, :reference, :path, :artifact, 'waiting', 0, :now, 0, 0);
