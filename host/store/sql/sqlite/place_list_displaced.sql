-- Those whose rows in the ready index stand where they did before they were scored again.
SELECT place.entry_id, place.lane_id, place.rank_key
FROM place
WHERE place.entry_id > coalesce(:after, -1) AND place.former_key IS NOT NULL
  AND EXISTS (
      SELECT 1 FROM ready
      WHERE ready.lane_id = place.lane_id AND ready.rank_key = place.former_key AND ready.entry_id = place.entry_id)
ORDER BY place.entry_id
LIMIT :limit;
