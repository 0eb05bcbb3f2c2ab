-- What waits in one lane, in its order.
SELECT entry.id, entry.backlog, entry.state, entry.first_seen_at, source_item.body, supplement.body AS supplement, 0 AS is_held_by_others
FROM ready
JOIN entry ON entry.id = ready.entry_id
JOIN source_item ON source_item.entry_id = entry.id
LEFT JOIN supplement ON supplement.entry_id = entry.id
WHERE ready.lane_id = (SELECT id FROM lane WHERE backlog = :backlog AND pipeline = :pipeline)
  AND ready.run_seq IS NULL AND entry.state = 'ready'
ORDER BY ready.rank_key, ready.entry_id
LIMIT :limit;
