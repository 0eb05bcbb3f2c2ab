-- Each row contradicts: coverage counts nothing else.
SELECT sum(entries) FROM coverage HAVING sum(entries) <> (SELECT count(*) FROM entry);
