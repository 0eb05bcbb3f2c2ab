SELECT count(*) AS runs FROM run WHERE entry_id = :entry AND revision = :revision AND kind = 'work';
