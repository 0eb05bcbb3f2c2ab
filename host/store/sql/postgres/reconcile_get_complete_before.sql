SELECT max(id) AS id FROM reconcile WHERE backlog = :backlog AND tracker = :tracker AND complete = true AND id < :id;
