SELECT 1 FROM adoption WHERE id = :id;
