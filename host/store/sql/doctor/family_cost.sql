-- Each row contradicts: what a run opened counts with it, and with those above it.
WITH RECURSIVE line (seq, payer) AS (
    SELECT seq, payer FROM run WHERE payer IS NOT NULL
    UNION ALL
    SELECT line.seq, run.payer FROM line JOIN run ON run.seq = line.payer WHERE run.payer IS NOT NULL)
SELECT run_seq FROM family WHERE (settled, escrow) <> (
    SELECT coalesce(sum(run.cost), 0), coalesce(sum(run.escrow), 0)
    FROM line JOIN run ON run.seq = line.seq WHERE line.payer = family.run_seq);
