-- The lane of a run that was rebuilt; closed, unless the applied policy has it.
WITH made AS (
    INSERT INTO lane (backlog, pipeline, kind, pins, open) VALUES (:backlog, :pipeline, :kind, :pins, false)
    ON CONFLICT (backlog, pipeline) DO NOTHING
    RETURNING id)
INSERT INTO lane_share (lane_id, slot, base, vtime, waiting)
SELECT id, slot(), (SELECT coalesce(max(vtime), 0) FROM turn), 0, 0 FROM made;
