-- As `run_claim`, among the named entries.
SELECT ready.lane_id, ready.rank_key, ready.entry_id, ready.run_seq, max(lane.vtime, :vtime) AS vtime
FROM ready INDEXED BY ready_by_entry
JOIN lane ON lane.id = ready.lane_id
WHERE lane.open = 1 AND lane.id IN (SELECT value FROM json_each(:lanes))
  AND ready.entry_id IN (SELECT value FROM json_each(:only))
ORDER BY max(lane.vtime, :vtime), lane.vtime, lane.id, ready.rank_key, ready.entry_id;
