UPDATE entry SET url = :url, arrival = NULL WHERE id = :id;
