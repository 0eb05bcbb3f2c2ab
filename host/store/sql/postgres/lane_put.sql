-- A lane that is new, or open again, starts at the present virtual time: it has saved up nothing.
WITH put AS (
    INSERT INTO lane (backlog, pipeline, kind, pins, open) VALUES (:backlog, :pipeline, :kind, :pins, true)
    ON CONFLICT (backlog, pipeline) DO UPDATE SET kind = excluded.kind, pins = excluded.pins, open = true
    RETURNING id)
INSERT INTO lane_share (lane_id, slot, base, vtime, waiting)
SELECT id, slot(), (SELECT coalesce(max(vtime), 0) FROM turn), 0, 0 FROM put
WHERE NOT EXISTS (SELECT 1 FROM lane_share WHERE lane_id = put.id);
