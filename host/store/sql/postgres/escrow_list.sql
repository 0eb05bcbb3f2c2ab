-- Labels of one cap sort by time, so what was set aside first is used first.
SELECT escrow.cap_id, escrow.label, escrow.amount, cap.scope
FROM escrow
JOIN cap ON cap.id = escrow.cap_id
WHERE escrow.run_seq = :run
ORDER BY escrow.cap_id, escrow.label;
