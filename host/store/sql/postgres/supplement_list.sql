SELECT entry.key, supplement.version, supplement.body
FROM entry
JOIN supplement ON supplement.entry_id = entry.id
WHERE entry.tracker = :tracker AND entry.key IN (SELECT jsonb_array_elements_text(CAST(:keys AS jsonb)));
