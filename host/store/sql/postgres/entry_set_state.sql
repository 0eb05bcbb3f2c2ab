UPDATE entry SET state = :state, held_for = :held_for
WHERE id = :id AND (state, held_for) IS DISTINCT FROM (:state, :held_for);
