SELECT backlog, state, held_for, adopted, entries FROM coverage WHERE entries > 0 ORDER BY backlog;
