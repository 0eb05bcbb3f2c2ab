-- Each row contradicts: entries stand at their places, but for those that somebody is putting in order.
SELECT place.entry_id FROM place
JOIN ready ON ready.lane_id = place.lane_id AND ready.rank_key = place.former_key AND ready.entry_id = place.entry_id
WHERE place.former_key IS NOT NULL AND place.former_key <> place.rank_key AND NOT EXISTS (SELECT 1 FROM rescoring);
