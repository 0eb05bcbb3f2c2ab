UPDATE store SET seen_at = greatest(seen_at, :now);
