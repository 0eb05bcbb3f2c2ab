-- As `place_move`, of the ready index.
UPDATE ready
SET rank_key = decode(moved.value ->> 3, 'hex')
FROM jsonb_array_elements(CAST(:moved AS jsonb)) AS moved
WHERE ready.lane_id = CAST(moved.value ->> 1 AS bigint) AND ready.rank_key = decode(moved.value ->> 2, 'hex')
  AND ready.entry_id = CAST(moved.value ->> 0 AS bigint) AND ready.run_seq IS NULL;
