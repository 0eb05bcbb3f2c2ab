-- What became of the entries that a run opened, in the order in which they were made.
SELECT entry.tracker, entry.key, entry.title, entry.state, newest.id AS run, newest.state AS run_state, newest.reason,
       (SELECT CAST(coalesce(sum(run.cost + coalesce(family.settled, 0)), 0) AS bigint)
        FROM run LEFT JOIN family ON family.run_seq = run.seq
        WHERE run.entry_id = entry.id) AS cost
FROM child
JOIN entry ON entry.id = child.entry_id
LEFT JOIN run AS newest
    ON newest.seq = (SELECT max(seq) FROM run WHERE run.entry_id = entry.id AND run.kind = 'work')
WHERE child.run_seq = :run
ORDER BY child.entry_id;
