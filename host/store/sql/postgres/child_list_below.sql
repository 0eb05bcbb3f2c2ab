-- The entries that a run opened, those that runs of these opened, and so on. Each is looked for by itself, as in `run_claim_only`.
WITH RECURSIVE below (entry_id) AS (
    SELECT entry_id FROM child WHERE run_seq = :run
    UNION
    SELECT opened.entry_id
    FROM below CROSS JOIN LATERAL (
        SELECT child.entry_id FROM run JOIN child ON child.run_seq = run.seq WHERE run.entry_id = below.entry_id OFFSET 0) AS opened)
SELECT entry_id FROM below ORDER BY entry_id;
