UPDATE entry SET arrival = NULL WHERE id IN (SELECT value FROM json_each(:ids)) AND arrival IS NOT NULL;
