DELETE FROM escrow WHERE run_seq = :run;
