SELECT entry.tracker, entry.key, entry.state, run.id AS run
FROM opened
JOIN entry ON entry.id = opened.entry_id
JOIN run ON run.seq = opened.run_seq
WHERE opened.parent_id = :entry
ORDER BY opened.entry_id;
