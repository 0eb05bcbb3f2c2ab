-- After an entry, if one is named, in the order of their times.
SELECT entry.id, place.due_at, entry.backlog, entry.first_seen_at, source_item.body, supplement.version, supplement.body AS supplement
FROM place
JOIN entry ON entry.id = place.entry_id
JOIN source_item ON source_item.entry_id = entry.id
LEFT JOIN supplement ON supplement.entry_id = entry.id
WHERE place.due_at <= :now AND entry.state IN ('new', 'held', 'ready')
  AND (:after_due IS NULL OR (place.due_at, place.entry_id) > (:after_due, :after))
ORDER BY place.due_at, place.entry_id
LIMIT :limit;
