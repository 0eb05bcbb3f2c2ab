INSERT INTO signal (name, run_seq, who, data, sent_at) VALUES (:name, :run, :who, :data, :now);
