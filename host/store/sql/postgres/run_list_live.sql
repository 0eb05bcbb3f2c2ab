SELECT seq FROM run WHERE entry_id = :entry AND state IN ('running', 'waiting') ORDER BY seq;
