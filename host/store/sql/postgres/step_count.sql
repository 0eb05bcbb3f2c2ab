SELECT count(*) AS steps FROM step WHERE run_seq = :run;
