UPDATE entry SET adopted = 1, worked = :worked WHERE id = :id;
