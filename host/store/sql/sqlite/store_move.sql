UPDATE store SET moved_to = :to, moved_at = :now;
