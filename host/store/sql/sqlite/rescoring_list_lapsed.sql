SELECT id FROM rescoring WHERE lease_until <= :now ORDER BY id;
