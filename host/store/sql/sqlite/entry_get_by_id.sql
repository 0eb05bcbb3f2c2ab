SELECT id, tracker, key, backlog, state, closed, revision, worked, adopted, depends, arrival FROM entry WHERE id = :id;
