-- Puts entries where their places say, those of them that stand where they did before.
UPDATE ready
SET rank_key = place.rank_key
FROM jsonb_array_elements_text(CAST(:entries AS jsonb)) AS moved JOIN place ON place.entry_id = CAST(moved.value AS bigint)
WHERE ready.lane_id = place.lane_id AND ready.rank_key = place.former_key AND ready.entry_id = place.entry_id;
