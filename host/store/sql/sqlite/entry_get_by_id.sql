SELECT id, tracker, key, state, closed, revision, worked, depends, arrival FROM entry WHERE id = :id;
