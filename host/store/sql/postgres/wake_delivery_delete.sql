DELETE FROM wake_delivery WHERE run_seq = :run;
