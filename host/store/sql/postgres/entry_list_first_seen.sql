SELECT key, first_seen_at FROM entry WHERE tracker = :tracker AND key IN (SELECT jsonb_array_elements_text(CAST(:keys AS jsonb)));
