SELECT hold.kind, hold.subject, hold.reason, hold.until_at, link.key, link.written, target.state, target.closed
FROM hold
LEFT JOIN link ON link.entry_id = hold.entry_id AND link.position = hold.link_position
LEFT JOIN entry AS target ON target.id = hold.target_id
WHERE hold.entry_id = :entry
ORDER BY hold.position;
