SELECT 1 FROM wake_children WHERE run_seq = :run;
