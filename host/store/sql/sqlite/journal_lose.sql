UPDATE journal SET open = 0
WHERE run_seq = :run AND stage = :stage AND gate = :gate AND rework = :rework AND attempt = :attempt AND call = :call;
