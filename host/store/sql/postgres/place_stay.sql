-- Places that stay as they are until another time: `[entry, due]` each.
UPDATE place SET due_at = CAST(stayed.value ->> 1 AS bigint)
FROM jsonb_array_elements(CAST(:stayed AS jsonb)) AS stayed
WHERE place.entry_id = CAST(stayed.value ->> 0 AS bigint);
