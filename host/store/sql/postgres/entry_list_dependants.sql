-- Entries that were judged, wait and depend on what may be this entry: they name it, or its key and no other tracker than their own.
SELECT DISTINCT entry.id
FROM link
JOIN entry ON entry.id = link.entry_id
WHERE link.key = :key AND link.kind = 'depends-on' AND entry.state IN ('held', 'ready')
  AND (link.tracker = :tracker OR (link.tracker = entry.tracker AND entry.backlog = :backlog))
ORDER BY entry.id;
