INSERT INTO schema_migration (version, name, applied_at, needs) VALUES (:version, :name, :now, :needs);
