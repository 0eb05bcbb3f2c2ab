-- Each row contradicts: an entry that is ready has a row in the ready index.
SELECT entry.id AS entry_id FROM entry
LEFT JOIN place ON place.entry_id = entry.id
LEFT JOIN ready ON ready.entry_id = entry.id AND ready.run_seq IS NULL
    AND ready.lane_id = place.lane_id AND ready.rank_key = place.rank_key
WHERE entry.state = 'ready' AND ready.lane_id IS NULL;
