SELECT backlog, tracker, ended_at FROM reconcile WHERE id = :id;
