-- Each row contradicts: a run that was cancelled waits for nothing, unless somebody cleans up after it.
SELECT run.seq AS run_seq FROM run JOIN inbox ON inbox.run_seq = run.seq AND inbox.kind = 'cancel'
WHERE run.state = 'waiting' AND inbox.applied_at IS NULL;
