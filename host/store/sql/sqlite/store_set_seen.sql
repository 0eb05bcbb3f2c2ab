UPDATE store SET seen_at = max(seen_at, :now);
