-- Each row contradicts: a cap's escrow is what runs have set aside.
SELECT cap_id FROM cap_period WHERE escrow <> (
    SELECT coalesce(sum(amount), 0) FROM escrow
    WHERE escrow.cap_id = cap_period.cap_id AND escrow.label = cap_period.label);
