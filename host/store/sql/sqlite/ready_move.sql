-- Puts entries where their places say, those of them that stand where they did before.
UPDATE ready
SET rank_key = place.rank_key
FROM json_each(:entries) AS moved, place
WHERE place.entry_id = moved.value AND ready.lane_id = place.lane_id AND ready.rank_key = place.former_key AND ready.entry_id = place.entry_id;
