DELETE FROM wake_children WHERE run_seq = :run;
