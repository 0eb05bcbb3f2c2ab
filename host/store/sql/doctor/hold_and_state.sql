-- Each row contradicts: of the entries that were judged and wait, those with a hold are held.
SELECT id AS entry_id FROM entry WHERE state IN ('held', 'ready')
  AND (state = 'held') <> EXISTS (SELECT 1 FROM hold WHERE entry_id = entry.id);
