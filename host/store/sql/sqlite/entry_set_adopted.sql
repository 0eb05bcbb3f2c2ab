UPDATE entry SET adopted = 1, worked = basis WHERE id = :id;
