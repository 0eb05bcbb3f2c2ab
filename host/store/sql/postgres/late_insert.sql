INSERT INTO late (run_seq, fence, at, brought)
SELECT seq, :fence, :at, :brought FROM run WHERE id = :run;
