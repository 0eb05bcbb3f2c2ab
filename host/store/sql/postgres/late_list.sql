SELECT fence, at, brought FROM late WHERE run_seq = :run ORDER BY id;
