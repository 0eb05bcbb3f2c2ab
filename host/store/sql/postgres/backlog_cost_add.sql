-- Sums :cost.
INSERT INTO backlog_cost (backlog, slot, cost) VALUES (:backlog, slot(), :cost)
ON CONFLICT (backlog, slot) DO UPDATE SET cost = backlog_cost.cost + excluded.cost;
