UPDATE store SET vtime = :vtime;
