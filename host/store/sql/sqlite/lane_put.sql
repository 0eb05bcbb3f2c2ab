-- A lane that is new starts at the present virtual time. One that is open again has its own, which counts as no less: it has saved up
-- nothing.
INSERT INTO lane (backlog, pipeline, kind, pins, open, vtime)
VALUES (:backlog, :pipeline, :kind, :pins, 1, (SELECT vtime FROM store))
ON CONFLICT (backlog, pipeline) DO UPDATE SET kind = excluded.kind, pins = excluded.pins, open = 1;
