-- Each row contradicts: what was settled is what steps cost, and attempts that have not ended.
SELECT 1 WHERE EXISTS (SELECT 1 FROM cap WHERE scope = 'project')
  AND (SELECT coalesce(sum(cost), 0) FROM step)
    + (SELECT coalesce(sum(cost), 0) FROM run WHERE rebuilt) + (
    SELECT coalesce(sum(charged), 0) FROM attempt LEFT JOIN step USING (run_seq, stage, gate, rework, attempt)
    WHERE step.id IS NULL) <> (
    SELECT coalesce(sum(settled + overdraft), 0) FROM cap_period JOIN cap ON cap.id = cap_id
    WHERE scope = 'project');
