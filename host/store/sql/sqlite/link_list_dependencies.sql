SELECT link.position, link.key, target.state, target.closed
FROM link
LEFT JOIN entry AS target ON target.tracker = link.tracker AND target.key = link.key
WHERE link.entry_id = :entry AND link.kind = 'depends-on'
ORDER BY link.position;
