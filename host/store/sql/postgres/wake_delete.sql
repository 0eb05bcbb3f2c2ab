DELETE FROM wake WHERE run_seq = :run;
