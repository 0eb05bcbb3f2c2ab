INSERT INTO reconcile (backlog, tracker, begun_at) VALUES (:backlog, :tracker, :now)
RETURNING id;
