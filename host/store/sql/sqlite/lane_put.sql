-- A lane that is new, or open again, starts at the present virtual time: it has saved up nothing.
INSERT INTO lane (backlog, pipeline, kind, pins, open, vtime)
VALUES (:backlog, :pipeline, :kind, :pins, 1, (SELECT vtime FROM store))
ON CONFLICT (backlog, pipeline) DO UPDATE SET kind = excluded.kind, pins = excluded.pins, open = 1;
