SELECT entry.key, supplement.version, supplement.body
FROM entry
JOIN supplement ON supplement.entry_id = entry.id
WHERE entry.tracker = :tracker AND entry.key IN (SELECT value FROM json_each(:keys));
