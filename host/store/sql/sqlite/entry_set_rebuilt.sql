UPDATE entry SET rounds = max(rounds, :round), worked = :worked, adopted = 0 WHERE id = :id;
