-- After an entry, if one is named, in the order of their times. What is told of each is looked for by itself: the server would go through
-- all entries from the first, to meet those that are due.
SELECT entry.id, place.due_at, entry.backlog, entry.first_seen_at, source_item.body, supplement.version, supplement.body AS supplement
FROM place
CROSS JOIN LATERAL (
    SELECT id, backlog, first_seen_at FROM entry WHERE id = place.entry_id AND state IN ('new', 'held', 'ready') OFFSET 0) AS entry
CROSS JOIN LATERAL (SELECT body FROM source_item WHERE entry_id = place.entry_id OFFSET 0) AS source_item
LEFT JOIN LATERAL (SELECT version, body FROM supplement WHERE entry_id = place.entry_id OFFSET 0) AS supplement ON true
WHERE place.due_at <= :now
  AND (CAST(:after_due AS bigint) IS NULL OR (place.due_at, place.entry_id) > (CAST(:after_due AS bigint), CAST(:after AS bigint)))
ORDER BY place.due_at, place.entry_id
LIMIT :limit;
