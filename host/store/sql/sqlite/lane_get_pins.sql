SELECT pins FROM lane WHERE id = :id;
