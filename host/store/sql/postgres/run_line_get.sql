SELECT * FROM run_line WHERE id = :id;
