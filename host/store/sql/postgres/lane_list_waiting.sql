-- Lanes that something waits in, by what their shares count: a look into the ready index would step over all that lies dead at its head.
SELECT id, pins, kind, pipeline, open, share.vtime
FROM lane
CROSS JOIN LATERAL (
    SELECT CAST(coalesce(max(base) + sum(vtime), 0) AS bigint) AS vtime, sum(waiting) AS waiting
    FROM lane_share
    WHERE lane_id = lane.id) AS share
WHERE share.waiting > 0;
