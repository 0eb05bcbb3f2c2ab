SELECT id, backlog, state, closed, revision, worked, depends, arrival FROM entry WHERE tracker = :tracker AND key = :key;
