-- What is numbered later is numbered behind it.
WITH put AS (
    INSERT INTO lane (id, backlog, pipeline, kind, pins, open) OVERRIDING SYSTEM VALUE
    VALUES (:id, :backlog, :pipeline, :kind, :pins, :open)
    RETURNING id),
numbered AS (SELECT setval(pg_get_serial_sequence('lane', 'id'), id) FROM put)
INSERT INTO lane_share (lane_id, slot, vtime, waiting) SELECT id, slot(), CAST(:vtime AS bigint), 0 FROM put, numbered;
