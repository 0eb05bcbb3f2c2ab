-- A reason that stands alone in its place; where it stands already it has stood since then.
INSERT INTO hold (entry_id, position, kind, subject, reason, since_at) VALUES (:entry, :position, :kind, '', :reason, :now)
ON CONFLICT DO NOTHING;
