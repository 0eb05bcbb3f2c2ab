-- The longest first.
SELECT escalation.kind AS waits_for, escalation.since_at, escalation.role, escalation.run_id, escalation.more, entry_line.*
FROM escalation
JOIN entry_line ON entry_line.id = escalation.entry_id
WHERE (CAST(:kinds AS text) IS NULL OR kind IN (SELECT jsonb_array_elements_text(CAST(:kinds AS jsonb))))
  AND (CAST(:role AS text) IS NULL OR role = :role)
  AND (role IS NULL OR role NOT IN (SELECT jsonb_array_elements_text(CAST(:not_roles AS jsonb))))
ORDER BY escalation.since_at, escalation.entry_id
LIMIT nullif(CAST(:limit AS bigint), -1) OFFSET :offset;
