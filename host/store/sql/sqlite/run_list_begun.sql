-- Entries that work had begun on, with what became of the newest of it by then: SQLite reads the other columns from the row of the greatest.
SELECT entry_id, max(seq), state = 'done' AND coalesce(ended_at <= :when, 0) AS is_done
FROM run
WHERE kind = 'work' AND started_at <= :when
GROUP BY entry_id
ORDER BY entry_id;
