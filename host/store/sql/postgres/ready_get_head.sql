-- The head of a lane, for people.
SELECT entry.key, place.score_thousandths, ready.run_seq IS NOT NULL AS is_begun
FROM ready
JOIN entry ON entry.id = ready.entry_id
LEFT JOIN place ON place.entry_id = ready.entry_id
WHERE ready.lane_id = :lane
ORDER BY ready.rank_key, ready.entry_id
LIMIT 1;
