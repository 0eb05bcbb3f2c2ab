SELECT id, tracker, key, backlog, state, closed, revision, worked, depends, arrival FROM entry WHERE id = :id;
