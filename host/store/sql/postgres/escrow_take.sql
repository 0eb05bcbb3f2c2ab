UPDATE escrow SET amount = amount - :amount WHERE run_seq = :run AND cap_id = :cap AND label = :label;
