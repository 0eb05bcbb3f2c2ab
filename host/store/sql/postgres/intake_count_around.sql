SELECT count(*) AS entries FROM intake
WHERE backlog = :backlog AND scope = :scope AND at > :after AND at < :before;
