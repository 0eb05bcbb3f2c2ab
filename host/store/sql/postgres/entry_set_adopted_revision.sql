UPDATE entry SET adopted = true, worked = :worked WHERE id = :id;
