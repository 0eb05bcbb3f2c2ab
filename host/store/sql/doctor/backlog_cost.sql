-- Each row contradicts: a backlog has cost what its runs have.
SELECT backlog FROM (
    SELECT backlog, cost FROM run
    UNION ALL
    SELECT backlog, -cost FROM backlog_cost) AS counted
GROUP BY backlog HAVING sum(cost) <> 0;
