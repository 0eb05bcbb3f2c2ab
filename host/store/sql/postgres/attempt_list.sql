SELECT stage, gate, rework, attempt, charged FROM attempt WHERE run_seq = :run;
