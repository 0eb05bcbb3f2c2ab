-- Each row contradicts: a run that is over has one record, and no other run has one.
SELECT seq AS run_seq FROM run WHERE CASE WHEN state IN ('running', 'waiting') THEN 0 ELSE 1 END <> (
    SELECT count(*) FROM outbox WHERE run_seq = run.seq AND kind = 'record');
