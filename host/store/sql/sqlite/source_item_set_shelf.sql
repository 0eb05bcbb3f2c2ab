UPDATE source_item SET body = json_set(body, '$.shelf', :shelf) WHERE entry_id = :entry;
