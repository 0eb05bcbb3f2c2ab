SELECT EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'schema_migration') AS ours,
       EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = current_schema()) AS used;
