-- Each row contradicts: the ready index has nothing else.
SELECT ready.entry_id FROM ready JOIN entry ON entry.id = ready.entry_id
LEFT JOIN place ON place.entry_id = ready.entry_id AND place.lane_id = ready.lane_id
    AND ready.rank_key IN (place.rank_key, coalesce(place.former_key, place.rank_key))
LEFT JOIN run ON run.seq = ready.run_seq
WHERE CASE WHEN ready.run_seq IS NULL THEN (entry.state <> 'ready' AND coalesce(entry.held_for, '') <> 'not-refined') OR place.entry_id IS NULL
           ELSE run.state <> 'running' OR run.lease_until IS NOT NULL END;
