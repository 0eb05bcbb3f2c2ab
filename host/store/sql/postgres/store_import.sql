UPDATE store SET id = :id, made_at = :made_at, seen_at = :seen_at;
