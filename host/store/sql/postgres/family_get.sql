SELECT family.limit_amount, family.settled, family.escrow, run.cost, run.escrow AS own_escrow
FROM family JOIN run ON run.seq = family.run_seq
WHERE family.run_seq = :run;
