SELECT version FROM policy_version ORDER BY version DESC LIMIT 1;
