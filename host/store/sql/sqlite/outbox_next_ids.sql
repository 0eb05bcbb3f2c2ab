-- The numbers of the next deliveries.
WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < :count)
SELECT (SELECT coalesce(max(id), 0) FROM outbox) + n AS id FROM number;
