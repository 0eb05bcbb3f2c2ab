-- Entries that share most with a text, and the revision of what they said last.
SELECT entry.tracker, entry.key, entry.revision, near.shared
FROM (
    SELECT entry_id, count(*) AS shared
    FROM "similar"
    WHERE backlog = :backlog AND number IN (SELECT CAST(value AS bigint) FROM jsonb_array_elements_text(CAST(:numbers AS jsonb)) AS list (value))
    GROUP BY entry_id
    ORDER BY shared DESC, entry_id
    LIMIT :limit
) AS near
JOIN entry ON entry.id = near.entry_id
WHERE entry.state <> 'gone'
ORDER BY near.shared DESC, entry.id;
