-- What a run is born on. Read apart from the change: RETURNING makes SQLite build a table for the one row.
SELECT tracker, key, rounds, entry.revision, title, backlog, snapshot.body AS snapshot
FROM entry
JOIN snapshot ON snapshot.revision = entry.revision
WHERE entry.id = :id AND entry.state = :state;
