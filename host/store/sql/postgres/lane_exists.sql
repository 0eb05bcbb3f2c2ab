SELECT 1 FROM lane WHERE id = :id;
