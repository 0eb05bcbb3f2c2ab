-- Each row contradicts: who listens for a signal waits as a call of it asked.
SELECT wake_signal.run_seq FROM wake_signal JOIN run ON run.seq = wake_signal.run_seq
LEFT JOIN wait ON wait.run_seq = run.seq
WHERE run.state <> 'waiting' OR wait.run_seq IS NULL;
