-- What is counted with a run that pays, and with those above it. A run is younger than the one that pays for it.
WITH RECURSIVE line (seq) AS (
    SELECT CAST(:payer AS bigint)
    UNION
    SELECT run.payer FROM line JOIN run ON run.seq = line.seq WHERE run.payer IS NOT NULL)
SELECT 1 FROM family WHERE run_seq IN (SELECT seq FROM line) ORDER BY run_seq DESC FOR NO KEY UPDATE;
