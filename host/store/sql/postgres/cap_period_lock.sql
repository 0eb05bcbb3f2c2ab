SELECT cap_id, label, settled, escrow, overdraft
FROM cap_period
WHERE (cap_id, label) IN (SELECT cap_id, label FROM jsonb_to_recordset(CAST(:periods AS jsonb)) AS wanted (cap_id bigint, label text))
ORDER BY cap_id, label
FOR NO KEY UPDATE;
