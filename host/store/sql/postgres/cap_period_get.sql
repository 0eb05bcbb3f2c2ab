SELECT settled, escrow, overdraft FROM cap_period WHERE cap_id = :cap AND label = :label;
