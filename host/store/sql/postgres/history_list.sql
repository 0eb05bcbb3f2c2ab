-- The newest calls of a component that did what they were called for.
SELECT step.fuel, json_in(step.body) ->> 'started_at' AS started_at, json_in(step.body) ->> 'ended_at' AS ended_at
FROM step
JOIN run ON run.seq = step.run_seq
WHERE run.pipeline = :pipeline AND step.stage = :stage AND step.gate = :gate
  AND json_in(step.body) #>> '{outcome,kind}' IN ('produced', 'judged')
  AND step.plugin IN (
      SELECT version.digest FROM plugin_version AS version
      JOIN plugin_version AS this ON this.name = version.name
      WHERE this.digest = :plugin)
ORDER BY step.id DESC
LIMIT :limit;
