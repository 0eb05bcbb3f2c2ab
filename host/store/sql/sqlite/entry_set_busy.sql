UPDATE entry SET state = 'busy', held_for = NULL, rounds = rounds + 1, worked = basis, adopted = 0 WHERE id = :id;
