DELETE FROM intake WHERE backlog = :backlog AND scope = :scope AND at <= :at;
