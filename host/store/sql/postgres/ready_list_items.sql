-- What waits in one lane, in its order. As for `entry_list_items`.
SELECT entry.id, entry.backlog, entry.state, entry.first_seen_at, source_item.body, supplement.body AS supplement, false AS is_held_by_others
FROM ready
CROSS JOIN LATERAL (
    SELECT id, backlog, state, first_seen_at FROM entry WHERE id = ready.entry_id AND state = 'ready' OFFSET 0) AS entry
CROSS JOIN LATERAL (SELECT body FROM source_item WHERE entry_id = ready.entry_id OFFSET 0) AS source_item
LEFT JOIN LATERAL (SELECT body FROM supplement WHERE entry_id = ready.entry_id OFFSET 0) AS supplement ON true
WHERE ready.lane_id = (SELECT id FROM lane WHERE backlog = :backlog AND pipeline = :pipeline) AND ready.run_seq IS NULL
ORDER BY ready.rank_key, ready.entry_id
LIMIT :limit;
