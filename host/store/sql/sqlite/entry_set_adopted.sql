UPDATE entry SET adopted = 1, worked = revision WHERE id = :id;
