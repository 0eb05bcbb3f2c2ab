SELECT count(*) AS entries FROM opened WHERE origin_id = :origin;
