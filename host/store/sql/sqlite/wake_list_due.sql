SELECT DISTINCT run_seq FROM wake INDEXED BY wake_due WHERE at <= :now ORDER BY run_seq;
