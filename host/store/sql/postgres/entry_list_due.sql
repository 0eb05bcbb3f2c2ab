SELECT entry.id, entry.backlog, entry.first_seen_at, source_item.body, supplement.version, supplement.body AS supplement
FROM place
JOIN entry ON entry.id = place.entry_id
JOIN source_item ON source_item.entry_id = entry.id
LEFT JOIN supplement ON supplement.entry_id = entry.id
WHERE place.due_at <= :now AND entry.state IN ('new', 'held', 'ready')
ORDER BY place.due_at, place.entry_id
LIMIT :limit;
