UPDATE entry
SET backlog = :backlog, closed = :closed, revision = :revision, basis = :basis, depends = :depends, arrival = :arrival, title = :title,
    url = :url, created_at = :created_at
WHERE id = :id;
