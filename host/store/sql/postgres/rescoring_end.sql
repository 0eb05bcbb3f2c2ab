DELETE FROM rescoring WHERE id = :id;
