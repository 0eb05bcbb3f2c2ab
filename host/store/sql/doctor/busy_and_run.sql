-- Each row contradicts: an entry is busy as long as a run of it is alive.
SELECT id AS entry_id FROM entry WHERE (state = 'busy') <> EXISTS (
    SELECT 1 FROM run WHERE entry_id = entry.id AND state IN ('running', 'waiting'));
