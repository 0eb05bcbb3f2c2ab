-- The row of the next run.
SELECT coalesce(max(seq), 0) + 1 AS seq FROM run;
