UPDATE entry SET state = 'busy', held_for = NULL, rounds = rounds + 1, worked = revision
WHERE id = :id AND state = 'ready'
RETURNING tracker, key, rounds, revision, title, backlog;
