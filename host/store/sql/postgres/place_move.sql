-- New places in the lanes where they are, of entries that wait and for which no reason of the policy comes or goes: `[entry, lane, key,
-- score, terms, due, version, revision]` each, keys and revisions in hexadecimal. With what else is known, or said, of an entry the
-- judgement is out of date. One whose row is not where it was before that either is left to who moves one entry alone.
UPDATE place
SET former_key = nullif(place.rank_key, decode(moved.value ->> 2, 'hex')), rank_key = decode(moved.value ->> 2, 'hex'),
    score_thousandths = CAST(moved.value ->> 3 AS bigint), terms = moved.value ->> 4, due_at = CAST(moved.value ->> 5 AS bigint),
    rejudged = true
FROM jsonb_array_elements(CAST(:moved AS jsonb)) AS moved
WHERE place.entry_id = CAST(moved.value ->> 0 AS bigint) AND place.lane_id = CAST(moved.value ->> 1 AS bigint)
  AND NOT EXISTS (
      SELECT 1 FROM ready
      WHERE ready.lane_id = place.lane_id AND ready.rank_key = place.former_key AND ready.entry_id = place.entry_id)
  AND EXISTS (
      SELECT 1 FROM entry
      WHERE entry.id = place.entry_id AND entry.state IN ('held', 'ready')
        AND (moved.value ->> 7 IS NULL OR entry.revision = decode(moved.value ->> 7, 'hex')))
  AND coalesce((SELECT version FROM supplement WHERE supplement.entry_id = place.entry_id), 0) = CAST(moved.value ->> 6 AS bigint)
  AND NOT EXISTS (
      SELECT 1 FROM hold
      WHERE hold.entry_id = place.entry_id AND hold.link_position IS NULL
        AND hold.kind NOT IN ('person', 'intake', 'own-output', 'duplicate', 'budget', 'cancelled'))
RETURNING place.entry_id, place.former_key IS NOT NULL AS is_displaced;
