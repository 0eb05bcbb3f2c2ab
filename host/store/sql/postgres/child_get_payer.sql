-- The newest run that opened an entry.
SELECT max(run_seq) AS run_seq FROM child WHERE entry_id = :entry;
