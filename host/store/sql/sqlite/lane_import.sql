INSERT INTO lane (id, backlog, pipeline, kind, pins, open, vtime) VALUES (:id, :backlog, :pipeline, :kind, :pins, :open, :vtime);
