INSERT INTO lost_host (run_seq, fence, host) VALUES (:run, :fence, :host);
