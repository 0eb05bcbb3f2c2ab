UPDATE entry SET rounds = greatest(rounds, :round), worked = :worked, adopted = false WHERE id = :id;
