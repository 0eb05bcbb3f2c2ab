UPDATE entry SET adopted = true, worked = basis WHERE id = :id;
