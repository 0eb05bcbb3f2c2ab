-- As `place_set_due`, and for an entry that has no place as well.
INSERT INTO place (entry_id, terms, due_at) VALUES (:entry, '[]', :due_at)
ON CONFLICT (entry_id) DO UPDATE SET due_at = excluded.due_at;
