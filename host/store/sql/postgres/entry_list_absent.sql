SELECT entry.id, entry.key
FROM entry
JOIN sighting ON sighting.entry_id = entry.id
WHERE entry.backlog = :backlog AND entry.tracker = :tracker AND sighting.reconcile < :before
  AND entry.state NOT IN ('gone', 'busy')
ORDER BY entry.id;
