SELECT version, digest, document, who, why, applied_at FROM policy_version ORDER BY version DESC LIMIT 1;
