-- Each row contradicts: what was sent to a run is applied by whoever drives it.
SELECT run_seq FROM inbox JOIN run ON run.seq = run_seq
WHERE applied_at IS NULL AND inbox.kind <> 'cancel' AND (run.lease_until IS NOT NULL OR run.state <> 'running');
