-- As `place_move`, of the ready index.
UPDATE ready
SET rank_key = unhex(moved.value ->> 3)
FROM json_each(:moved) AS moved
WHERE ready.lane_id = moved.value ->> 1 AND ready.rank_key = unhex(moved.value ->> 2) AND ready.entry_id = moved.value ->> 0
  AND ready.run_seq IS NULL;
