-- Each row contradicts: unsatisfied dependencies hold, and no others.
-- Of those that have the key: there before gone, and then the own tracker before the others, of which there must be one.
WITH candidate AS (
    SELECT link.entry_id, link.position, CASE WHEN meant.state = 'done' OR meant.closed THEN 1 ELSE 0 END AS satisfies,
           CASE WHEN meant.state = 'gone' THEN 2 ELSE 0 END
           + CASE WHEN meant.tracker <> link.tracker THEN 1 ELSE 0 END AS distance
    FROM link JOIN entry ON entry.id = link.entry_id
    JOIN entry AS meant ON meant.key = link.key
        AND (meant.tracker = link.tracker OR meant.backlog = entry.backlog)),
nearest AS (SELECT entry_id, position, min(distance) AS distance FROM candidate GROUP BY 1, 2),
satisfied AS (
    SELECT entry_id, position FROM candidate JOIN nearest USING (entry_id, position, distance)
    GROUP BY 1, 2 HAVING count(*) = 1 AND sum(satisfies) = 1)
SELECT entry.id AS entry_id FROM entry JOIN link ON link.entry_id = entry.id AND link.kind = 'depends-on'
LEFT JOIN satisfied ON satisfied.entry_id = link.entry_id AND satisfied.position = link.position
WHERE entry.state IN ('new', 'held', 'ready') AND (satisfied.position IS NOT NULL) = EXISTS (
      SELECT 1 FROM hold WHERE entry_id = entry.id AND link_position = link.position);
