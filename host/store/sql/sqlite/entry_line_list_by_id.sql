SELECT * FROM entry_line WHERE id IN (SELECT value FROM json_each(:ids)) ORDER BY id;
