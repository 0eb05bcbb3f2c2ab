DELETE FROM wait WHERE run_seq = :run;
