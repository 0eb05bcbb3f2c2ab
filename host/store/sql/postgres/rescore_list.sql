-- What is known of entries that were judged again.
SELECT entry.id, entry.state, entry.revision, entry.arrival IS NOT NULL AS has_arrival, coalesce(supplement.version, 0) AS version,
       place.lane_id, place.rank_key, place.score_thousandths, place.terms, place.due_at,
       EXISTS (SELECT 1 FROM hold WHERE hold.entry_id = entry.id) AS is_held
FROM entry
LEFT JOIN supplement ON supplement.entry_id = entry.id
LEFT JOIN place ON place.entry_id = entry.id
WHERE entry.id IN (SELECT CAST(jsonb_array_elements_text(CAST(:ids AS jsonb)) AS bigint));
