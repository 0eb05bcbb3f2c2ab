-- Somebody else who notes a time just now does for both.
UPDATE store SET seen_at = :now
WHERE one IN (SELECT one FROM store WHERE seen_at < :now FOR NO KEY UPDATE SKIP LOCKED);
