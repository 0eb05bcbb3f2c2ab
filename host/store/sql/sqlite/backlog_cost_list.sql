SELECT backlog, cost FROM backlog_cost ORDER BY backlog;
