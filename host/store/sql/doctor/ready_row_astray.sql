-- Each row contradicts: the ready index has nothing else.
SELECT ready.entry_id FROM ready JOIN entry ON entry.id = ready.entry_id
LEFT JOIN run ON run.seq = ready.run_seq
WHERE CASE WHEN ready.run_seq IS NULL THEN entry.state <> 'ready'
           ELSE run.state <> 'running' OR run.lease_until IS NOT NULL END;
