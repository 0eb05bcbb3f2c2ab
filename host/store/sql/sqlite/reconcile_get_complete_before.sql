SELECT max(id) AS id FROM reconcile WHERE backlog = :backlog AND tracker = :tracker AND complete = 1 AND id < :id;
