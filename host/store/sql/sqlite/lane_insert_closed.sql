-- The lane of a run that was rebuilt; closed, unless the applied policy has it.
INSERT INTO lane (backlog, pipeline, kind, pins, open, vtime)
VALUES (:backlog, :pipeline, :kind, :pins, 0, (SELECT vtime FROM store))
ON CONFLICT (backlog, pipeline) DO NOTHING;
