-- What a run is born on. Read apart from the change: RETURNING makes SQLite build a table for the one row.
SELECT tracker, key, rounds, revision, title, backlog FROM entry WHERE id = :id AND state = :state;
