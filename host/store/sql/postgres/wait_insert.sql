INSERT INTO wait (run_seq, step, since, body) SELECT seq, :step, heard, :body FROM run WHERE seq = :run;
