-- Entries that work had begun on, with what became of the newest of it by then.
SELECT DISTINCT ON (entry_id) entry_id, state = 'done' AND coalesce(ended_at <= :when, false) AS is_done
FROM run
WHERE kind = 'work' AND started_at <= :when
ORDER BY entry_id, seq DESC;
