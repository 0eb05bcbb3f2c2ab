-- Entries that wait and name this one as something they depend on.
SELECT entry.id
FROM link
JOIN entry ON entry.id = link.entry_id
WHERE link.tracker = :tracker AND link.key = :key AND link.kind = 'depends-on' AND entry.state IN ('new', 'held', 'ready')
ORDER BY entry.id;
