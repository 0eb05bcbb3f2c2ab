-- The longest first.
SELECT escalation.kind AS waits_for, escalation.since_at, escalation.role, escalation.run_id, escalation.more, entry_line.*
FROM escalation
JOIN entry_line ON entry_line.id = escalation.entry_id
WHERE (:kinds IS NULL OR kind IN (SELECT value FROM json_each(:kinds)))
  AND (:role IS NULL OR role = :role)
  AND (role IS NULL OR role NOT IN (SELECT value FROM json_each(:not_roles)))
ORDER BY escalation.since_at, escalation.entry_id
LIMIT :limit OFFSET :offset;
