-- Lanes that something waits in, by the counter and not by looking.
SELECT id, pins, kind, pipeline, vtime, open FROM lane WHERE waiting > 0;
