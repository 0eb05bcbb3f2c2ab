UPDATE family SET limit_amount = limit_amount + :added WHERE run_seq = :run;
