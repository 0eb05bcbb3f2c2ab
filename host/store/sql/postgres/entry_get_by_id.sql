SELECT id, tracker, key, backlog, state, closed, revision, basis, worked, adopted, depends, arrival FROM entry WHERE id = :id;
