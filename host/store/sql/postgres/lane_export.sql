SELECT id, backlog, pipeline, kind, pins, open,
       (SELECT CAST(coalesce(max(base) + sum(vtime), 0) AS bigint) FROM lane_share WHERE lane_id = lane.id) AS vtime
FROM lane
ORDER BY id;
