UPDATE entry SET arrival = NULL WHERE id = :id;
