DELETE FROM event WHERE run_seq = :run;
