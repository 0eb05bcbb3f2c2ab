DELETE FROM ask WHERE run_seq = :run;
