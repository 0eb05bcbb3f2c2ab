SELECT coalesce(json_in(body) ->> 'shelf', 'open') AS shelf FROM source_item WHERE entry_id = :entry;
