SELECT family.limit_amount, family.settled, family.escrow, run.cost, run.escrow AS own_escrow,
       run.state IN ('running', 'waiting') AS is_live
FROM family JOIN run ON run.seq = family.run_seq
WHERE family.run_seq = :run;
