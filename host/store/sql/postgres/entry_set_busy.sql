UPDATE entry SET state = 'busy', held_for = NULL, rounds = rounds + 1, worked = basis, adopted = false WHERE id = :id;
