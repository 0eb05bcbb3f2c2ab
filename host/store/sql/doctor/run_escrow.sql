-- Each row contradicts: what a run has set aside is in the project's cap.
SELECT seq AS run_seq FROM run WHERE escrow <> (
    SELECT coalesce(sum(amount), 0) FROM escrow JOIN cap ON cap.id = cap_id
    WHERE run_seq = run.seq AND scope = 'project' AND period = 'day')
  AND EXISTS (SELECT 1 FROM cap WHERE scope = 'project');
