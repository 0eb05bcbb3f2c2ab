INSERT INTO plugin_version (digest, name, version, contract, first_seen_at)
VALUES (:digest, :name, :version, :contract, :now) ON CONFLICT DO NOTHING;
