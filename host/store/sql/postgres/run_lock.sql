-- Everybody who takes several takes the oldest first.
SELECT 1 FROM run
WHERE id IN (SELECT jsonb_array_elements_text(CAST(:runs AS jsonb)))
ORDER BY seq
FOR NO KEY UPDATE;
