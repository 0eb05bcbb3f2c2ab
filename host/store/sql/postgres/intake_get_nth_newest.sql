SELECT at FROM intake WHERE backlog = :backlog AND scope = :scope ORDER BY at DESC LIMIT 1 OFFSET :newer;
