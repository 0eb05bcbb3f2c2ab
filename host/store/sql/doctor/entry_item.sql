-- Each row contradicts: what a source said of an entry is kept.
SELECT entry.id AS entry_id FROM entry LEFT JOIN source_item ON source_item.entry_id = entry.id
WHERE source_item.entry_id IS NULL;
