SELECT backlog, state, held_for, entries FROM coverage WHERE entries > 0 ORDER BY backlog;
