-- What a run spends or sets aside counts with the run that opened its entry, and so on upwards.
WITH RECURSIVE line (seq) AS (
    SELECT CAST(:payer AS bigint)
    UNION
    SELECT run.payer FROM line JOIN run ON run.seq = line.seq WHERE run.payer IS NOT NULL)
UPDATE family SET settled = settled + :settled, escrow = escrow + :escrow WHERE run_seq IN (SELECT seq FROM line);
