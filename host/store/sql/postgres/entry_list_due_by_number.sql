-- As `entry_list_due`, in the order in which they are kept. Whoever goes through all that is due so writes each page once.
SELECT entry.id, place.due_at, entry.backlog, entry.first_seen_at, source_item.body, supplement.version, supplement.body AS supplement
FROM place
CROSS JOIN LATERAL (
    SELECT id, backlog, first_seen_at FROM entry WHERE id = place.entry_id AND state IN ('new', 'held', 'ready') OFFSET 0) AS entry
CROSS JOIN LATERAL (SELECT body FROM source_item WHERE entry_id = place.entry_id OFFSET 0) AS source_item
LEFT JOIN LATERAL (SELECT version, body FROM supplement WHERE entry_id = place.entry_id OFFSET 0) AS supplement ON true
WHERE place.entry_id > :after AND place.due_at <= :now
ORDER BY place.entry_id
LIMIT :limit;
