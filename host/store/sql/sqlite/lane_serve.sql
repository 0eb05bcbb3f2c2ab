UPDATE lane SET vtime = :vtime + :times WHERE id = :id;
