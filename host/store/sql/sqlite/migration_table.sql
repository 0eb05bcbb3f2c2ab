SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'schema_migration') AS ours,
       EXISTS (SELECT 1 FROM sqlite_schema) AS used;
