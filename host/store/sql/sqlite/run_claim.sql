-- The head of every open lane, the lane that is due first before the others: one descent of the ready index a lane, however
-- much waits in it. A lane that had nothing for a while is not owed for that time: it counts from the virtual time served last.
SELECT ready.lane_id, ready.rank_key, ready.entry_id, ready.run_seq, max(lane.vtime, :vtime) AS vtime
FROM lane
JOIN ready ON ready.lane_id = lane.id
    AND (ready.rank_key, ready.entry_id) = (
        SELECT head.rank_key, head.entry_id
        FROM ready AS head
        WHERE head.lane_id = lane.id
        ORDER BY head.rank_key, head.entry_id
        LIMIT 1)
WHERE lane.open = 1 AND lane.id IN (SELECT value FROM json_each(:lanes))
ORDER BY max(lane.vtime, :vtime), lane.vtime, lane.id;
