-- The entries that a run opened, those that runs of these opened, and so on.
WITH RECURSIVE below (entry_id) AS (
    SELECT entry_id FROM child WHERE run_seq = :run
    UNION
    SELECT child.entry_id FROM below JOIN run ON run.entry_id = below.entry_id JOIN child ON child.run_seq = run.seq)
SELECT entry_id FROM below ORDER BY entry_id;
