UPDATE entry SET state = 'busy', held_for = NULL, rounds = rounds + 1, worked = revision WHERE id = :id;
