-- Each row contradicts: an entry that is ready has a row in the ready index.
-- At its place, or where that was before.
SELECT entry.id AS entry_id FROM entry
LEFT JOIN place ON place.entry_id = entry.id
LEFT JOIN ready ON ready.entry_id = entry.id AND ready.run_seq IS NULL
    AND ready.lane_id = place.lane_id AND ready.rank_key = place.rank_key
LEFT JOIN ready AS displaced ON displaced.entry_id = entry.id AND displaced.run_seq IS NULL
    AND displaced.lane_id = place.lane_id AND displaced.rank_key = place.former_key
WHERE entry.state = 'ready' AND ready.lane_id IS NULL AND displaced.lane_id IS NULL;
