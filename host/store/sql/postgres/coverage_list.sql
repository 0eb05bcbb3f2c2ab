SELECT backlog, state, held_for, adopted, CAST(sum(entries) AS bigint) AS entries
FROM coverage
GROUP BY backlog, state, held_for, adopted
HAVING sum(entries) > 0
ORDER BY backlog;
