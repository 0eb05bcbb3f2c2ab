INSERT INTO link (entry_id, position, kind, tracker, key, written, source)
VALUES (:entry, :position, :kind, :tracker, :key, :written, :source);
