UPDATE journal SET open = false
WHERE run_seq = :run AND stage = :stage AND gate = :gate AND rework = :rework AND attempt = :attempt AND call = :call;
