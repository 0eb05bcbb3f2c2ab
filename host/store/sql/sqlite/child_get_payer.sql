-- The newest run that opened an entry.
SELECT max(run_seq) AS run_seq FROM child INDEXED BY child_by_entry WHERE entry_id = :entry;
