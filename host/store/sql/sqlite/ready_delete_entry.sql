-- Wherever it stands.
DELETE FROM ready
WHERE entry_id = :entry AND lane_id = (SELECT lane_id FROM place WHERE entry_id = :entry)
  AND rank_key IN ((SELECT rank_key FROM place WHERE entry_id = :entry), (SELECT former_key FROM place WHERE entry_id = :entry))
  AND run_seq IS NULL;
