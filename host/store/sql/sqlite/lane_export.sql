SELECT id, backlog, pipeline, kind, pins, open, vtime FROM lane ORDER BY id;
