-- The update changes nothing: it locks a row that somebody else began just now.
INSERT INTO cap_period (cap_id, label, settled, escrow, overdraft)
SELECT cap_id, label, 0, 0, 0
FROM jsonb_to_recordset(CAST(:periods AS jsonb)) AS wanted (cap_id bigint, label text)
ORDER BY cap_id, label
ON CONFLICT (cap_id, label) DO UPDATE SET settled = cap_period.settled;
