INSERT INTO entry (tracker, key, backlog, state, held_for, closed, revision, basis, depends, arrival, title, url, created_at, first_seen_at)
VALUES (:tracker, :key, :backlog, :state, :held_for, :closed, :revision, :basis, :depends, :arrival, :title, :url, :created_at, :first_seen_at)
RETURNING id;
