INSERT INTO hold (entry_id, position, kind, subject, reason, until_at, since_at, link_position, target_id)
VALUES (:entry, :position, :kind, :subject, :reason, :until_at, :now, :link_position, :target);
