INSERT INTO adoption (id, entry_id, adopted_at, body) VALUES (:id, :entry, :now, :body)
RETURNING seq AS id;
