UPDATE entry SET arrival = NULL
WHERE id IN (SELECT CAST(jsonb_array_elements_text(CAST(:ids AS jsonb)) AS bigint)) AND arrival IS NOT NULL;
