-- Those that wait for their turn, in their order: along the ready index, of which only the page and what comes before it is read. What waits to be
-- refined is in the index as well, and is not ready.
SELECT entry_line.* FROM ready JOIN entry_line ON entry_line.id = ready.entry_id
WHERE ready.run_seq IS NULL AND entry_line.state = 'ready' AND (CAST(:backlog AS text) IS NULL OR entry_line.backlog = :backlog)
ORDER BY ready.lane_id, ready.rank_key, ready.entry_id
LIMIT nullif(CAST(:limit AS bigint), -1) OFFSET :offset;
