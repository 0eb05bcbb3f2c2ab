SELECT count(*) AS total FROM escalation
WHERE (:kinds IS NULL OR kind IN (SELECT value FROM json_each(:kinds)))
  AND (:role IS NULL OR role = :role)
  AND (role IS NULL OR role NOT IN (SELECT value FROM json_each(:not_roles)));
