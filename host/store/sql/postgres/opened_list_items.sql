-- Internal entries that wait, and what was said of them.
SELECT entry.id, entry.backlog, entry.state, entry.first_seen_at, source_item.body, supplement.body AS supplement,
       EXISTS (SELECT 1 FROM hold WHERE hold.entry_id = entry.id
               AND hold.kind IN ('dependency', 'dependency-unknown', 'person', 'intake', 'own-output', 'duplicate', 'budget', 'cancelled')) AS is_held_by_others
FROM opened
JOIN entry ON entry.id = opened.entry_id
JOIN source_item ON source_item.entry_id = entry.id
LEFT JOIN supplement ON supplement.entry_id = entry.id
WHERE opened.entry_id > coalesce(CAST(:after AS bigint), -1) AND entry.state IN ('new', 'held', 'ready')
ORDER BY opened.entry_id
LIMIT :limit;
