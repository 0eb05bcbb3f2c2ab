SELECT step, since, body FROM wait WHERE run_seq = :run;
