UPDATE source_item SET body = CAST(jsonb_set(CAST(body AS jsonb), '{shelf}', to_jsonb(CAST(:shelf AS text))) AS text) WHERE entry_id = :entry;
