-- Each row contradicts: coverage counts entries.
SELECT backlog, state, coalesce(held_for, '') AS held_for, adopted, count(*) AS entries FROM entry GROUP BY 1, 2, 3, 4
EXCEPT SELECT backlog, state, held_for, adopted, entries FROM {coverage};
