INSERT INTO opened (entry_id, backlog, fingerprint, parent_id, run_seq, origin_id, depth)
VALUES (:entry, :backlog, :fingerprint, :parent, :run, :origin, :depth);
