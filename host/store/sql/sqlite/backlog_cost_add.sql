INSERT INTO backlog_cost (backlog, cost) VALUES (:backlog, :cost)
ON CONFLICT DO UPDATE SET cost = cost + excluded.cost;
