SELECT link.kind, link.tracker, link.key, link.written, link.source, target.state, target.closed
FROM link
LEFT JOIN entry AS target ON target.tracker = link.tracker AND target.key = link.key
WHERE link.entry_id = :entry
ORDER BY link.position;
