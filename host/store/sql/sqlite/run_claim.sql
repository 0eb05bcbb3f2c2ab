-- The head of a lane: one descent of the ready index, however much waits in it. Begun runs come before entries.
-- With it comes who pays for a new run of the entry: the newest run that opened it.
SELECT rank_key, entry_id, run_seq,
       (SELECT max(child.run_seq) FROM child INDEXED BY child_by_entry WHERE child.entry_id = ready.entry_id) AS payer
FROM ready
WHERE lane_id = :lane
ORDER BY rank_key, entry_id
LIMIT 1;
