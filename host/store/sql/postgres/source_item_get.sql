SELECT body FROM source_item WHERE entry_id = :entry;
