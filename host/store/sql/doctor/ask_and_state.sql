-- Each row contradicts: only waiting runs ask.
SELECT run_seq FROM ask JOIN run ON run.seq = run_seq WHERE run.state <> 'waiting';
