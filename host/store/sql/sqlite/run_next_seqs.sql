-- The rows of the next runs.
WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < :count)
SELECT (SELECT coalesce(max(seq), 0) FROM run) + n AS seq FROM number;
