-- What stands in a place that could not be read is there, whatever it says.
UPDATE sighting SET reconcile = :reconcile
WHERE reconcile < :reconcile AND entry_id IN (
    SELECT id FROM entry WHERE tracker = :tracker AND url IN (SELECT jsonb_array_elements_text(CAST(:unread AS jsonb))));
