-- Keys of entries that this one holds.
SELECT entry.key
FROM link
JOIN hold ON hold.entry_id = link.entry_id AND hold.link_position = link.position
JOIN entry ON entry.id = link.entry_id
WHERE link.key = :key AND link.kind = 'depends-on' AND hold.target_id = :entry AND entry.state = 'held'
ORDER BY entry.id;
