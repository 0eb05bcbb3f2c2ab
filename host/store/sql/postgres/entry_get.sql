SELECT id, backlog, state, closed, revision, basis, worked, adopted, depends,
       CASE WHEN EXISTS (SELECT 1 FROM place WHERE place.entry_id = entry.id AND place.rejudged) THEN NULL ELSE arrival END AS arrival
FROM entry WHERE tracker = :tracker AND key = :key;
