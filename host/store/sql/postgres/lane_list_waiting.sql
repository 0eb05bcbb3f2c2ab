-- Lanes that something waits in, by one look into the ready index each.
SELECT id, pins, kind, pipeline, open,
       (SELECT CAST(coalesce(max(base) + sum(vtime), 0) AS bigint) FROM lane_share WHERE lane_id = lane.id) AS vtime
FROM lane
WHERE EXISTS (SELECT 1 FROM ready WHERE ready.lane_id = lane.id);
