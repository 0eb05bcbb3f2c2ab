UPDATE run SET reason = :reason WHERE seq = :run AND state IN ('running', 'waiting');
