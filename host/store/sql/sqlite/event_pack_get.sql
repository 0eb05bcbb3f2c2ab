SELECT body FROM event_pack WHERE run_seq = :run;
