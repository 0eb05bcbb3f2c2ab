-- Places that stay as they are until another time: `[entry, due]` each.
UPDATE place SET due_at = stayed.value ->> 1 FROM json_each(:stayed) AS stayed WHERE place.entry_id = stayed.value ->> 0;
