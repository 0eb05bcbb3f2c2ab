SELECT run.seq, run.id, run.state
FROM run
JOIN entry ON entry.id = run.entry_id
WHERE entry.tracker = :tracker AND entry.key = :key AND run.kind = 'work'
ORDER BY run.seq DESC
LIMIT 1;
