SELECT body FROM ask WHERE run_seq = :run;
