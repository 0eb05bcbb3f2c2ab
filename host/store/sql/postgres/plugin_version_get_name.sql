SELECT name FROM plugin_version WHERE digest = :digest;
