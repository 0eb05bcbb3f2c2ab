-- The first signal of a name that a wait of a run has not heard.
SELECT id, who, data FROM signal
WHERE name = :name AND id > :since AND (run_seq IS NULL OR run_seq = :run)
ORDER BY id
LIMIT 1;
