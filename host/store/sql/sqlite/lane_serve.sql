UPDATE lane SET vtime = :vtime + 1 WHERE id = :id;
