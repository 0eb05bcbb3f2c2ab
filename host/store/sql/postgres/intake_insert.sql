INSERT INTO intake (backlog, scope, at) VALUES (:backlog, :scope, :at);
