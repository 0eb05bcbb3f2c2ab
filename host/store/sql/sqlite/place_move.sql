-- New places in the lanes where they are, of entries that wait and for which no reason of the policy comes or goes: `[entry, lane, key,
-- score, terms, due, version, revision]` each, keys and revisions in hexadecimal. With what else is known, or said, of an entry the
-- judgement is out of date. One whose row is not where it was before that either is left to who moves one entry alone.
UPDATE place
SET former_key = nullif(place.rank_key, unhex(moved.value ->> 2)), rank_key = unhex(moved.value ->> 2),
    score_thousandths = moved.value ->> 3, terms = moved.value ->> 4, due_at = moved.value ->> 5,
    rejudged = 1
FROM json_each(:moved) AS moved
WHERE place.entry_id = moved.value ->> 0 AND place.lane_id = moved.value ->> 1
  AND NOT EXISTS (
      SELECT 1 FROM ready
      WHERE ready.lane_id = place.lane_id AND ready.rank_key = place.former_key AND ready.entry_id = place.entry_id)
  AND EXISTS (
      SELECT 1 FROM entry
      WHERE entry.id = place.entry_id AND entry.state IN ('held', 'ready')
        AND (moved.value ->> 7 IS NULL OR entry.revision = unhex(moved.value ->> 7)))
  AND coalesce((SELECT version FROM supplement WHERE supplement.entry_id = place.entry_id), 0) = moved.value ->> 6
  AND NOT EXISTS (
      SELECT 1 FROM hold
      WHERE hold.entry_id = place.entry_id AND hold.link_position IS NULL
        AND hold.kind NOT IN ('person', 'intake', 'own-output', 'duplicate', 'budget', 'cancelled'))
RETURNING entry_id, former_key IS NOT NULL AS is_displaced;
