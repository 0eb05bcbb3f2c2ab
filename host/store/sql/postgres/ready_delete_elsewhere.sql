-- Wherever it stands but there.
DELETE FROM ready
WHERE entry_id = :entry AND run_seq IS NULL AND (lane_id, rank_key) IS DISTINCT FROM (:lane, :rank_key)
  AND (lane_id, rank_key) IN (
      SELECT lane_id, rank_key FROM place WHERE entry_id = :entry
      UNION ALL
      SELECT lane_id, former_key FROM place WHERE entry_id = :entry);
