-- Runs that are over since then and whose events are not packed, oldest first. Of those with children that nobody can pay, lists read single events.
SELECT seq FROM run
WHERE ended_at <= :ended_by AND NOT rebuilt
  AND NOT EXISTS (SELECT 1 FROM event_pack WHERE event_pack.run_seq = run.seq)
  AND NOT EXISTS (SELECT 1 FROM unfunded WHERE unfunded.run_seq = run.seq)
ORDER BY seq
LIMIT :limit;
