SELECT seq FROM run WHERE lease_until <= :now ORDER BY lease_until, seq;
