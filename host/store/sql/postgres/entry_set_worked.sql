UPDATE entry SET worked = basis WHERE id = :id;
