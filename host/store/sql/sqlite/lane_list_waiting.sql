-- Lanes that something waits in, by the counter and not by looking.
SELECT id, pins, kind, pipeline, vtime FROM lane WHERE open = 1 AND waiting > 0;
