-- As `entry_list_due`, in the order in which they are kept. Whoever goes through all that is due so writes each page once.
SELECT entry.id, place.due_at, entry.backlog, entry.first_seen_at, source_item.body, supplement.version, supplement.body AS supplement
FROM place NOT INDEXED
CROSS JOIN entry ON entry.id = place.entry_id
CROSS JOIN source_item ON source_item.entry_id = entry.id
LEFT JOIN supplement ON supplement.entry_id = entry.id
WHERE place.entry_id > :after AND place.due_at <= :now AND entry.state IN ('new', 'held', 'ready')
ORDER BY place.entry_id
LIMIT :limit;
