-- Internal entries that wait, and what was said of them. As for `entry_list_items`.
SELECT entry.id, entry.backlog, entry.state, entry.first_seen_at, source_item.body, supplement.body AS supplement,
       EXISTS (SELECT 1 FROM hold WHERE hold.entry_id = entry.id
               AND hold.kind IN ('dependency', 'dependency-unknown', 'person', 'intake', 'own-output', 'duplicate', 'budget', 'cancelled')
               OFFSET 0) AS is_held_by_others
FROM opened
CROSS JOIN LATERAL (
    SELECT id, backlog, state, first_seen_at FROM entry
    WHERE id = opened.entry_id AND state IN ('new', 'held', 'ready') OFFSET 0) AS entry
CROSS JOIN LATERAL (SELECT body FROM source_item WHERE entry_id = opened.entry_id OFFSET 0) AS source_item
LEFT JOIN LATERAL (SELECT body FROM supplement WHERE entry_id = opened.entry_id OFFSET 0) AS supplement ON true
WHERE opened.entry_id > coalesce(CAST(:after AS bigint), -1)
ORDER BY opened.entry_id
LIMIT :limit;
