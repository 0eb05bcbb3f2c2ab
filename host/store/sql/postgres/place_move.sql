-- New places in the lanes where they are: `[entry, lane, old key, new key, score, terms, due]` each, keys in hexadecimal.
UPDATE place
SET rank_key = decode(moved.value ->> 3, 'hex'), score_thousandths = CAST(moved.value ->> 4 AS bigint), terms = moved.value ->> 5,
    due_at = CAST(moved.value ->> 6 AS bigint)
FROM jsonb_array_elements(CAST(:moved AS jsonb)) AS moved
WHERE place.entry_id = CAST(moved.value ->> 0 AS bigint);
