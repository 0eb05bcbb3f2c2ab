INSERT INTO "similar" (backlog, number, entry_id) VALUES (:backlog, :number, :entry) ON CONFLICT DO NOTHING;
