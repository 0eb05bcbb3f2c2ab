-- Each row contradicts: a run's chain ends with its newest event.
SELECT run.seq AS run_seq FROM run
LEFT JOIN event ON event.run_seq = run.seq AND event.seq = run.chain_events
WHERE NOT run.rebuilt AND (
    EXISTS (SELECT 1 FROM event AS newer WHERE newer.run_seq = run.seq AND newer.seq > run.chain_events)
    OR coalesce(event.hash <> run.chain_hash, NOT EXISTS (
        SELECT 1 FROM event_pack WHERE event_pack.run_seq = run.seq AND event_pack.events = run.chain_events)));
