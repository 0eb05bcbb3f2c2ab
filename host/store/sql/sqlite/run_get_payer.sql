SELECT payer FROM run WHERE seq = :run;
