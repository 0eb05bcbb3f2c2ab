INSERT INTO entry (tracker, key, backlog, state, closed, revision, depends, arrival, title, url, created_at, first_seen_at)
VALUES (:tracker, :key, :backlog, 'new', :closed, :revision, :depends, :arrival, :title, :url, :created_at, :now);
