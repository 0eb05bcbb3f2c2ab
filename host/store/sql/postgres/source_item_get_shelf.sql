SELECT coalesce(CAST(body AS json) ->> 'shelf', 'open') AS shelf FROM source_item WHERE entry_id = :entry;
