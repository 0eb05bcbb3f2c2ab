UPDATE inbox SET applied_at = :now WHERE id = :id;
