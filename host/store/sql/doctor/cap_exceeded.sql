-- Each row contradicts: no cap is exceeded.
SELECT cap.id FROM cap JOIN cap_period ON cap_id = cap.id WHERE settled + escrow > limit_amount;
