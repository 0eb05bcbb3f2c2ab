SELECT coalesce(body ->> 'shelf', 'open') AS shelf FROM source_item WHERE entry_id = :entry;
