SELECT id, backlog, state, closed, revision, basis, worked, adopted, depends, arrival FROM entry WHERE tracker = :tracker AND key = :key;
