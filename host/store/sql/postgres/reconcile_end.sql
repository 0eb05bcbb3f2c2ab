UPDATE reconcile SET ended_at = :now, complete = :complete WHERE id = :id;
