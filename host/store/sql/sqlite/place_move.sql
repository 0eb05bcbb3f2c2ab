-- New places in the lanes where they are: `[entry, lane, old key, new key, score, terms, due]` each, keys in hexadecimal.
UPDATE place
SET rank_key = unhex(moved.value ->> 3), score_thousandths = moved.value ->> 4, terms = moved.value ->> 5, due_at = moved.value ->> 6
FROM json_each(:moved) AS moved
WHERE place.entry_id = moved.value ->> 0;
