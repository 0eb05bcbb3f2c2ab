INSERT INTO outbox
    (id, run_seq, entry_id, kind, reference, path, artifact, leaves, state, fence, next_at, failures, ambiguous)
VALUES (:id, :run, :entry, :kind, :reference, :path, :artifact, :leaves, 'waiting', 0, :now, 0, 0);
