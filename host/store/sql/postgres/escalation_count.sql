SELECT count(*) AS total FROM escalation
WHERE (CAST(:kinds AS text) IS NULL OR kind IN (SELECT jsonb_array_elements_text(CAST(:kinds AS jsonb))))
  AND (CAST(:role AS text) IS NULL OR role = :role)
  AND (role IS NULL OR role NOT IN (SELECT jsonb_array_elements_text(CAST(:not_roles AS jsonb))));
