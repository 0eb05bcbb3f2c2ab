-- The live run with least room for `amount` of those that pay, if it has too little: a run that is over has no budget any more.
WITH RECURSIVE line (seq) AS (
    SELECT CAST(:payer AS bigint)
    UNION
    SELECT run.payer FROM line JOIN run ON run.seq = line.seq WHERE run.payer IS NOT NULL)
SELECT family.run_seq, run.id, entry.key,
       family.limit_amount - run.cost - run.escrow - family.settled - family.escrow AS room
FROM line
JOIN family ON family.run_seq = line.seq
JOIN run ON run.seq = line.seq
JOIN entry ON entry.id = run.entry_id
WHERE run.state IN ('running', 'waiting')
  AND family.limit_amount - run.cost - run.escrow - family.settled - family.escrow < :amount
ORDER BY room, family.run_seq DESC
LIMIT 1;
