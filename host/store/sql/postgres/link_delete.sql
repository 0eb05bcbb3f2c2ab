-- What was found by comparing texts is said by no source, and stays.
DELETE FROM link WHERE entry_id = :entry AND source <> :kept;
