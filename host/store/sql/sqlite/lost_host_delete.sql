DELETE FROM lost_host WHERE host = :host;
