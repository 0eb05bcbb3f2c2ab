UPDATE store SET seen_at = :now;
