INSERT INTO hold (entry_id, position, kind, subject, reason, until_at, link_position, target_id)
VALUES (:entry, :position, :kind, :subject, :reason, :until_at, :link_position, :target);
