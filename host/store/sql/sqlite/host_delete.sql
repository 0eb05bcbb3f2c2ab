DELETE FROM host WHERE id = :id;
