SELECT id FROM run WHERE seq = :seq;
