DELETE FROM wake_signal WHERE run_seq = :run;
