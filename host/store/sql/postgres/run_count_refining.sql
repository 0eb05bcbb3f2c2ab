SELECT count(*) AS runs FROM run WHERE entry_id = :entry AND kind = 'refine';
