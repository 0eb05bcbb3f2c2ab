UPDATE store SET moved_to = NULL, moved_at = NULL WHERE moved_to IS NOT NULL;
