SELECT artifact FROM outbox
WHERE entry_id = :entry AND path = :path AND id < :id AND state = 'settled' AND json_in(became) ->> 'kind' = 'done'
ORDER BY id DESC
LIMIT 1;
