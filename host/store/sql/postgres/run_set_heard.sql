UPDATE run SET heard = (SELECT coalesce(max(id), 0) FROM signal) WHERE seq = :run;
