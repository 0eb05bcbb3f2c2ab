SELECT entry_id FROM opened WHERE backlog = :backlog AND fingerprint = :fingerprint;
