SELECT DISTINCT run_seq FROM wake WHERE at <= :now ORDER BY run_seq;
