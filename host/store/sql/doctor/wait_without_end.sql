-- Each row contradicts: a run that waits has something to wait for.
SELECT seq AS run_seq FROM run WHERE state = 'waiting'
  AND NOT EXISTS (SELECT 1 FROM wake WHERE wake.run_seq = run.seq)
  AND NOT EXISTS (SELECT 1 FROM wake_delivery WHERE wake_delivery.run_seq = run.seq)
  AND NOT EXISTS (SELECT 1 FROM wake_signal WHERE wake_signal.run_seq = run.seq)
  AND NOT EXISTS (SELECT 1 FROM wake_children WHERE wake_children.run_seq = run.seq)
  AND NOT EXISTS (SELECT 1 FROM ask WHERE ask.run_seq = run.seq)
  AND NOT EXISTS (SELECT 1 FROM unfunded WHERE unfunded.run_seq = run.seq);
