UPDATE entry SET worked = revision WHERE id = :id;
