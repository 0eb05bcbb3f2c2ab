SELECT version, name, (SELECT max(needs) FROM schema_migration) AS needs FROM schema_migration ORDER BY version DESC LIMIT 1;
