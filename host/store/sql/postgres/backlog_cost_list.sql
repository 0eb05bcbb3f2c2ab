SELECT backlog, CAST(sum(cost) AS bigint) AS cost FROM backlog_cost GROUP BY backlog ORDER BY backlog;
