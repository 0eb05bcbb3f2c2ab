-- Links of an entry, each with every entry that it may lead to; one that leads nowhere has a row without. A link that names the entry's own
-- tracker leads to an entry there, else to one of another source of the same backlog.
SELECT link.position, link.kind, link.tracker, link.key, link.written, link.source, target.id AS target_id,
       target.tracker AS target_tracker, target.state, target.closed, target.tracker <> link.tracker AS is_elsewhere
FROM link
JOIN entry AS origin ON origin.id = link.entry_id
LEFT JOIN entry AS target ON target.key = link.key
    AND (target.tracker = link.tracker OR (link.tracker = origin.tracker AND target.backlog = origin.backlog))
WHERE link.entry_id = :entry
ORDER BY link.position, target.tracker;
