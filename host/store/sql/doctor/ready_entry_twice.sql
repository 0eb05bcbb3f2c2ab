-- Each row contradicts: no entry stands in the ready index twice.
SELECT place.entry_id FROM place
JOIN ready ON ready.lane_id = place.lane_id AND ready.rank_key = place.rank_key AND ready.entry_id = place.entry_id
JOIN ready AS displaced ON displaced.lane_id = place.lane_id AND displaced.rank_key = place.former_key
    AND displaced.entry_id = place.entry_id
WHERE place.former_key IS NOT NULL AND place.former_key <> place.rank_key;
