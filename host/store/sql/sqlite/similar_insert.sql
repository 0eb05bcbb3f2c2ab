INSERT OR IGNORE INTO similar (backlog, number, entry_id) VALUES (:backlog, :number, :entry);
