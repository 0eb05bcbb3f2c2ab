-- What is told of each is looked for by itself: the server would go through all entries from the first, and through all holds.
SELECT entry.id, entry.backlog, entry.state, entry.first_seen_at, source_item.body, supplement.body AS supplement,
       EXISTS (SELECT 1 FROM hold WHERE hold.entry_id = entry.id
               AND hold.kind IN ('dependency', 'dependency-unknown', 'person', 'intake', 'own-output', 'duplicate', 'budget', 'cancelled')
               OFFSET 0) AS is_held_by_others
FROM entry
CROSS JOIN LATERAL (SELECT body FROM source_item WHERE entry_id = entry.id OFFSET 0) AS source_item
LEFT JOIN LATERAL (SELECT body FROM supplement WHERE entry_id = entry.id OFFSET 0) AS supplement ON true
WHERE entry.id > coalesce(CAST(:after AS bigint), -1)
ORDER BY entry.id
LIMIT :limit;
